/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/config/filesd.h"
#include "lib/config/group.h"
#include "lib/net/credentials.h"
#include "lib/net/redact.h"

#define CONNECT_TIMEOUT (10 * USEC_PER_SEC)
#define TIMEOUT USEC_PER_MIN /* of everything; at most the refresh_interval */

struct listing {
    struct http_request *request;
    const struct http_sd *sd;
    listing_fn fn;
    void *userdata;
    struct buf body;
    struct redact secrets; /* in the request; an answer may repeat them */
    char type[64];         /* of the content, cut */
    int error;             /* of this side */
};

static void listing_free(struct listing *l)
{
    buf_done(&l->body);
    redact_done(&l->secrets);
    free(l);
}

void listing_url_shown(const char *url, char out[static LISTING_URL_SHOWN])
{
    (void)snprintf(out, LISTING_URL_SHOWN, "%.*s", (int)strcspn(url, "?"), url);
}

static void on_header(void *userdata, const char *name, const char *value)
{
    struct listing *l = userdata;

    if (strcasecmp(name, "Content-Type") == 0)
        (void)snprintf(l->type, sizeof(l->type), "%s", value);
}

/* application/json, of no other charset than UTF-8. */
static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    static const char *const charsets[] = {"charset=utf-8", "charset=\"utf-8\""};

    if (strncasecmp(type, json, sizeof(json) - 1) != 0)
        return false;
    type += sizeof(json) - 1;
    if (*type == '\0')
        return true;
    if (*type++ != ';')
        return false;
    type += strspn(type, " \t");
    for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
        if (strcasecmp(type, charsets[i]) == 0)
            return true;
    }
    return false;
}

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct listing *l = userdata;

    if (http_status(l->request) != 200 || !is_json(l->type))
        return HTTP_ABORT;
    l->error = buf_add(&l->body, data, n);
    return l->error < 0 ? HTTP_ABORT : (ssize_t)n;
}

/* What is wrong with the document, in one line. */
static void describe(struct listing *l, struct diags *diags, struct buf *out)
{
    _cleanup_free_ char *text = diags_brief(diags);
    size_t n = text ? strlen(text) : 0;

    if (text)
        redact_text(&l->secrets, REDACT_ESCAPED, text, n, n, out);
    else
        (void)buf_adds(out, strerror(ENOMEM));
}

static void read_body(struct listing *l)
{
    struct target_list targets = {0};
    char shown[LISTING_URL_SHOWN];
    struct diags diags = {0};
    struct buf why;

    listing_url_shown(l->sd->url, shown);
    buf_init(&why, LISTING_TEXT_MAX - 1);
    if (filesd_load_json(shown, buf_str(&l->body), l->body.len, &targets, &diags) == 0) {
        l->fn(l->userdata, &targets, NULL);
    } else {
        describe(l, &diags, &why);
        l->fn(l->userdata, NULL, buf_str(&why));
    }
    target_list_done(&targets);
    diags_done(&diags);
    buf_done(&why);
}

/* Why there is no document; true: there is none. */
static bool has_failed(const struct listing *l, const struct http_result *result,
                       char why[static LISTING_TEXT_MAX])
{
    if (result->status != 0 && result->status != 200)
        (void)snprintf(why, LISTING_TEXT_MAX, "HTTP status %ld", result->status);
    else if (result->status == 200 && !is_json(l->type))
        (void)snprintf(why, LISTING_TEXT_MAX,
                       "the answer's Content-Type is not application/json with UTF-8");
    else if (l->error == -E2BIG)
        (void)snprintf(why, LISTING_TEXT_MAX, "the answer is longer than %u MiB",
                       LISTING_MAX >> 20);
    else if (l->error < 0)
        (void)snprintf(why, LISTING_TEXT_MAX, "%s", strerror(-l->error));
    else if (result->error != HTTP_OK)
        (void)snprintf(why, LISTING_TEXT_MAX, "%s", result->text);
    else if (!result->delimited)
        (void)snprintf(why, LISTING_TEXT_MAX, "the answer has no end: it may be cut");
    else
        return false;
    return true;
}

static void on_finished(void *userdata, const struct http_result *result)
{
    struct listing *l = userdata;
    char why[LISTING_TEXT_MAX];

    l->request = NULL;
    if (has_failed(l, result, why))
        l->fn(l->userdata, NULL, why);
    else
        read_body(l);
    listing_free(l);
}

static const struct http_handlers handlers = {
    .body = on_body,
    .header = on_header,
    .finished = on_finished,
};

static int send_request(struct listing *l, struct http *http, const char *authorization)
{
    const struct http_sd *sd = l->sd;
    char seconds[32];
    const struct http_header headers[] = {
        {"Accept", "application/json"},
        {"Accept-Encoding", "identity"},
        {"X-Prometheus-Refresh-Interval-Seconds", seconds},
    };
    const usec timeout = sd->refresh < TIMEOUT ? sd->refresh : TIMEOUT;
    const struct http_options options = {
        .url = sd->url,
        .headers = headers,
        .n_headers = sizeof(headers) / sizeof(headers[0]),
        .authorization = authorization,
        .proxy = &sd->access.proxy,
        .tls = sd->access.tls,
        .connect_timeout = timeout < CONNECT_TIMEOUT ? timeout : CONNECT_TIMEOUT,
        .timeout = timeout,
    };
    int r;

    (void)snprintf(seconds, sizeof(seconds), "%.15g", (double)sd->refresh / (double)USEC_PER_SEC);
    r = redact_request(&l->secrets, &options);
    return r < 0 ? r : http_start(http, &options, &handlers, l, &l->request);
}

int listing_start(struct http *http, const struct http_sd *sd, listing_fn fn, void *userdata,
                  struct listing **ret, char why[static LISTING_TEXT_MAX])
{
    struct listing *l = calloc(1, sizeof(*l));
    struct buf authorization;
    int r;

    if (!l) {
        (void)snprintf(why, LISTING_TEXT_MAX, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    *l = (struct listing){.sd = sd, .fn = fn, .userdata = userdata};
    buf_init(&l->body, LISTING_MAX);
    redact_init(&l->secrets);
    credentials_init(&authorization);
    r = credentials_header(&sd->access.auth, &authorization, why, LISTING_TEXT_MAX);
    if (r == 0) {
        r = send_request(l, http, authorization.len > 0 ? buf_str(&authorization) : NULL);
        if (r < 0)
            (void)snprintf(why, LISTING_TEXT_MAX, "cannot start the request: %s", strerror(-r));
    }
    buf_wipe(&authorization);
    if (r < 0)
        listing_free(l);
    else
        *ret = l;
    return r;
}

void listing_cancel(struct listing *l)
{
    if (!l)
        return;
    http_cancel(l->request);
    listing_free(l);
}
