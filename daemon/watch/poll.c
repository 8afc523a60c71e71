/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch/poll.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "lib/net/credentials.h"
#include "lib/net/redact.h"

/* How long connecting and the TLS handshake may take. */
#define CONNECT_TIMEOUT (3 * USEC_PER_SEC)

/* A page comes in few pieces, and many polls are under way. */
#define PIECE (32u << 10)

/* OpenMetrics only from who has nothing else: its text is longer, and says no more here. */
#define ACCEPT                                          \
    "text/plain;version=0.0.4,"                         \
    "application/openmetrics-text;version=1.0.0;q=0.7," \
    "text/plain;q=0.5,application/json;q=0.4,*/*;q=0.1"

struct poll {
    struct http_request *request;
    struct poll_options options;
    poll_ended_fn ended;
    void *userdata;
    struct rulebook_page *page;
    struct scrape *scrape;
    uint64_t bytes;
    struct redact secrets; /* in the request; the page may repeat them */
    enum pollend given_up; /* why this side ended the body; POLLEND_OK: it did not */
    char encoding[32];     /* of the body, if any */
};

static void poll_free(struct poll *p)
{
    scrape_free(p->scrape);
    rulebook_page_free(p->page);
    redact_done(&p->secrets);
    free(p);
}

static bool is_openmetrics(const char *type)
{
    static const char name[] = "application/openmetrics-text";

    return strncasecmp(type, name, sizeof(name) - 1) == 0;
}

static void on_header(void *userdata, const char *name, const char *value)
{
    struct poll *p = userdata;

    if (strcasecmp(name, "Content-Type") == 0 && is_openmetrics(value))
        scrape_expect_eof(p->scrape);
    if (strcasecmp(name, "Content-Encoding") == 0 && strcasecmp(value, "identity") != 0)
        (void)snprintf(p->encoding, sizeof(p->encoding), "%s", value);
}

static enum pollend pollend_of_page(int r)
{
    return r == -ENOMEM ? POLLEND_RESOURCES : r == -EFBIG ? POLLEND_TOO_LARGE : POLLEND_NOT_METRICS;
}

static ssize_t give_up(struct poll *p, enum pollend why)
{
    p->given_up = why;
    return HTTP_ABORT;
}

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct poll *p = userdata;
    int r;

    if (http_status(p->request) != 200)
        return HTTP_ABORT;
    if (p->encoding[0])
        return give_up(p, POLLEND_COMPRESSED);
    if (n > POLL_BODY_MAX - p->bytes)
        return give_up(p, POLLEND_TOO_LARGE);
    p->bytes += n;
    if (p->options.piece)
        p->options.piece(p->userdata, data, n);
    r = scrape_feed(p->scrape, data, n);
    if (r < 0)
        return give_up(p, pollend_of_page(r));
    return (ssize_t)n;
}

/* The end of the page itself, as far as it came. */
static enum pollend end_of_page(struct poll *p, const struct http_result *h,
                                struct scrape_verdict *verdict)
{
    int r = scrape_finish(p->scrape, verdict);

    if (p->given_up != POLLEND_OK)
        return p->given_up;
    if (h->error != HTTP_OK)
        return pollend_of_error(h->error);
    if (p->encoding[0])
        return POLLEND_COMPRESSED;
    if (r < 0)
        return pollend_of_page(r);
    return POLLEND_OK;
}

/* What is wrong with a page may be told by quoting it. */
static void quote(const struct poll *p, unsigned flags, const char *error, struct poll_result *r)
{
    size_t n = strlen(error);
    struct buf text;

    buf_init(&text, POLL_TEXT_MAX - 1);
    redact_text(&p->secrets, flags, error, n, n, &text);
    (void)snprintf(r->text, sizeof(r->text), "%s", buf_str(&text));
    buf_done(&text);
}

static void describe(const struct poll *p, const struct http_result *h,
                     const struct scrape_verdict *verdict, struct poll_result *r)
{
    char text[64];

    switch (r->end) {
    case POLLEND_OK: break;
    case POLLEND_COMPRESSED:
        (void)snprintf(text, sizeof(text), "the answer is compressed (%s)", p->encoding);
        quote(p, 0, text, r);
        break;
    case POLLEND_TOO_LARGE:
        if (verdict->expvar)
            (void)snprintf(r->text, sizeof(r->text), "%s", verdict->error);
        else
            (void)snprintf(r->text, sizeof(r->text), "the answer is longer than %u MiB",
                           POLL_BODY_MAX >> 20);
        break;
    case POLLEND_NOT_METRICS: quote(p, REDACT_ESCAPED, verdict->error, r); break;
    default: (void)snprintf(r->text, sizeof(r->text), "%s", h->text);
    }
    if (p->given_up == POLLEND_RESOURCES)
        (void)snprintf(r->text, sizeof(r->text), "%s", strerror(ENOMEM));
}

static void on_finished(void *userdata, const struct http_result *h)
{
    struct poll *p = userdata;
    struct poll_result result = {.bytes = p->bytes};
    struct scrape_verdict verdict;

    p->request = NULL;
    if (h->status != 0 && h->status != 200) {
        result.end = pollend_of_status(h->status);
        (void)snprintf(result.text, sizeof(result.text), "HTTP status %ld", h->status);
    } else {
        result.end = end_of_page(p, h, &verdict);
        result.series = verdict.samples;
        result.expvar = verdict.expvar;
        describe(p, h, &verdict, &result);
    }
    p->ended(p->userdata, &result, result.end == POLLEND_OK ? p->page : NULL);
    poll_free(p);
}

static const struct http_handlers handlers = {
    .body = on_body,
    .header = on_header,
    .finished = on_finished,
};

static struct poll *poll_new(const struct poll_options *options, poll_ended_fn ended,
                             void *userdata)
{
    struct poll *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->options = *options;
    p->ended = ended;
    p->userdata = userdata;
    redact_init(&p->secrets);
    if (rulebook_page_new(options->book, &p->page) < 0 ||
        scrape_new(rulebook_names(options->book), rulebook_sample, p->page, &p->scrape) < 0) {
        poll_free(p);
        return NULL;
    }
    return p;
}

static int send_request(struct poll *p, struct http *http, const char *authorization)
{
    static const struct http_header headers[] = {{"Accept", ACCEPT},
                                                 {"Accept-Encoding", "identity"}};
    const struct target *t = p->options.target;
    _cleanup_free_ char *url = target_url(t, p->options.path);
    const usec timeout = p->options.timeout;
    const struct http_options options = {
        .url = url,
        .headers = headers,
        .n_headers = sizeof(headers) / sizeof(headers[0]),
        .keep = p->options.keep,
        .piece = PIECE,
        .unix_path = t->unix_path,
        .authorization = authorization,
        .proxy = &t->job->access.proxy,
        .tls = t->job->access.tls,
        .connect_timeout = timeout < CONNECT_TIMEOUT ? timeout : CONNECT_TIMEOUT,
        .timeout = timeout,
    };

    int r = url ? redact_request(&p->secrets, &options) : -ENOMEM;

    return r < 0 ? r : http_start(http, &options, &handlers, p, &p->request);
}

int poll_start(struct http *http, const struct poll_options *options, poll_ended_fn ended,
               void *userdata, struct poll **ret, struct poll_result *ret_failure)
{
    struct poll_result failure = {.end = POLLEND_CREDENTIALS};
    struct poll *p = NULL;
    struct buf authorization;
    int r;

    credentials_init(&authorization);
    r = credentials_header(&options->target->job->access.auth, &authorization, failure.text,
                           sizeof(failure.text));
    if (r == 0) {
        failure.end = POLLEND_RESOURCES;
        p = poll_new(options, ended, userdata);
        r = p ? send_request(p, http, authorization.len > 0 ? buf_str(&authorization) : NULL)
              : -ENOMEM;
        (void)snprintf(failure.text, sizeof(failure.text), "cannot start the request: %s",
                       strerror(-r));
    }
    buf_wipe(&authorization);
    if (r < 0) {
        if (p)
            poll_free(p);
        *ret_failure = failure;
        return r;
    }
    *ret = p;
    return 0;
}

void poll_cancel(struct poll *p)
{
    if (!p)
        return;
    http_cancel(p->request);
    poll_free(p);
}
