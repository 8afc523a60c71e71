/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/credremote.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/secretfile.h"
#include "lib/store/identity/credplan.h"
#include "lib/store/identity/credprocess.h"
#include "lib/store/identity/credservice.h"

#define FORM_HEADERS_MAX 8
#define CHECK_AUTHORITY "name the authority of its certificate with upload.tls_config.ca_file"

static const struct credservice *const services[] = {
    [CREDSERVICE_CONTAINER] = &credservice_container,
    [CREDSERVICE_IMDS] = &credservice_imds,
    [CREDSERVICE_WEB_IDENTITY] = &credservice_web_identity,
    [CREDSERVICE_ROLE] = &credservice_role,
    [CREDSERVICE_SSO] = &credservice_sso,
    [CREDSERVICE_PROCESS] = &credservice_process,
    [CREDSERVICE_GCE] = &credservice_gce,
    [CREDSERVICE_JWT] = &credservice_jwt,
    [CREDSERVICE_REFRESH] = &credservice_refresh,
    [CREDSERVICE_SUBJECT] = &credservice_subject,
    [CREDSERVICE_EXCHANGE] = &credservice_exchange,
    [CREDSERVICE_IMPERSONATE] = &credservice_impersonate,
    [CREDSERVICE_ENTRA] = &credservice_entra,
    [CREDSERVICE_MANAGED] = &credservice_managed,
};

const char *credservice_text(const struct credremote *c, enum credstep_text which)
{
    return c->route.steps[c->at].texts[which];
}

usec credservice_now(const struct credremote *c)
{
    usec now = 0;

    (void)sd_event_now(c->event, CLOCK_REALTIME, &now);
    return now;
}

int credservice_refuse(struct credremote *c, int error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
    va_end(ap);
    return error;
}

int credservice_parse(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                      char why[static CREDSERVICE_TEXT_SIZE])
{
    char said[CREDSERVICE_TEXT_SIZE] = "";
    int r = c->service->parse(c, reply, ret, said, sizeof(said));
    struct buf text;

    buf_over(&text, why, CREDSERVICE_TEXT_SIZE);
    redact_text(&c->secrets, REDACT_KNOWN | REDACT_ESCAPED, said, strlen(said), sizeof(said),
                &text);
    explicit_bzero(said, sizeof(said));
    return r;
}

/* What a service is told beside what its request shows: it may say that in its answer. */
static int know_secrets(struct credremote *c)
{
    const char *const texts[] = {credservice_text(c, CREDSTEP_TOKEN),
                                 credservice_text(c, CREDSTEP_SECRET), c->set.secret_key,
                                 c->set.session_token};
    const char *line = credservice_text(c, CREDSTEP_HEADERS);
    int r = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && r == 0; i++)
        r = redact_add(&c->secrets, texts[i]);
    while (r == 0 && line && *line) { /* "Name:value" each */
        size_t n = strcspn(line, "\n"), name = strcspn(line, ":\n");
        _cleanup_secret_ char *value =
            name < n ? secret_strndup(line + name + 1, n - name - 1) : NULL;

        r = name < n && !value ? -ENOMEM : redact_add(&c->secrets, value);
        line += n + (line[n] == '\n');
    }
    return r;
}

static void on_reply(void *userdata, const struct fetch_reply *reply);

int credservice_send(struct credremote *c, const struct http_options *options)
{
    struct http_options o = *options;
    int r;

    reach_beside(c->reach, c->route.steps[c->at].peer, &o);
    r = redact_request(&c->secrets, &o);
    if (r == 0)
        r = fetch_start(c->http, &o, on_reply, c, &c->fetch);
    if (r < 0)
        return credservice_refuse(c, r, "%s cannot be asked: %s", c->service->name, strerror(-r));
    return 0;
}

int credservice_send_form(struct credremote *c, const struct buf *form,
                          const struct http_header *headers, size_t n_headers)
{
    struct http_header all[FORM_HEADERS_MAX + 1] = {
        {"Content-Type", "application/x-www-form-urlencoded"}};
    const struct http_body body = {.data = form->data, .size = form->len};

    for (size_t i = 0; i < n_headers && i < FORM_HEADERS_MAX; i++)
        all[i + 1] = headers[i];
    return credservice_send(c, &(struct http_options){.url = credservice_text(c, CREDSTEP_URL),
                                                      .method = "POST",
                                                      .headers = all,
                                                      .n_headers = n_headers + 1,
                                                      .authorization = c->token.data,
                                                      .body = &body,
                                                      CREDSERVICE_FAR});
}

int credservice_add(struct buf *form, const char *name, const char *value)
{
    return credplan_add(form, name, value, strlen(value));
}

int credservice_pick(struct credremote *c, const char *text, size_t n, const char *field,
                     struct buf *b)
{
    size_t begin = b->len;
    int r = -EINVAL;

    if (!field) {
        r = buf_add(b, text, n);
    } else {
        json_t *root = NULL;
        const char *value;

        r = jsontext_parse(text, n, JSON_REJECT_DUPLICATES, NULL, &root);
        value = json_string_value(json_object_get(root, field));
        if (r != -ENOMEM)
            r = value ? buf_adds(b, value) : -EINVAL;
        json_decref(root);
        if (r == -EINVAL)
            return credservice_refuse(c, r, "it is no JSON object with a string `%.40s`", field);
    }
    if (r < 0)
        return credservice_refuse(c, r, "%s", r == -E2BIG ? "it is too long" : strerror(-r));
    while (b->len > begin && strchr(" \t\r\n", b->data[b->len - 1]))
        b->data[--b->len] = '\0';
    for (size_t i = begin; i < b->len; i++) {
        if (b->data[i] < ' ' || b->data[i] > '~')
            return credservice_refuse(
                c, -EINVAL, "it holds no token: it has control characters or more than one line");
    }
    return b->len == begin ? credservice_refuse(c, -EINVAL, "it is empty") : 0;
}

int credservice_read_token(struct credremote *c, struct buf *b)
{
    const char *path = credservice_text(c, CREDSTEP_FILE);
    const char *origin = credservice_text(c, CREDSTEP_ORIGIN);
    char why[CREDSERVICE_TEXT_SIZE], shown[SECRETFILE_SHOWN_SIZE];
    size_t begin = b->len;
    struct buf text;
    int r;

    buf_init(&text, CREDSERVICE_TOKEN_MAX);
    r = secretfile_read(&text, path);
    if (r < 0) {
        (void)credservice_refuse(c, r, "%s", secretfile_explain(r));
    } else {
        r = credservice_pick(c, buf_str(&text), text.len, credservice_text(c, CREDSTEP_FIELD), b);
    }
    buf_wipe(&text);
    if (r == 0)
        r = redact_add(&c->secrets, b->data + begin);
    if (r == 0)
        return 0;
    (void)snprintf(why, sizeof(why), "%.200s", c->why);
    return credservice_refuse(c, r, "cannot use the file %s (%s): %s",
                              secretfile_shown(path, r, shown), origin, why);
}

/* No answer. Of the last source of all, what that means. */
static int refuse_silence(struct credremote *c, const struct fetch_reply *reply)
{
    const char *hint = reply->untrusted ? CHECK_AUTHORITY
                     : c->service->hint ? c->service->hint(c, 0)
                                        : NULL;

    return credservice_refuse(c, reply->error == -E2BIG ? -EINVAL : reply->error,
                              "%s does not answer: %s%s%s", c->service->name, reply->text,
                              hint ? "; " : "", hint ? hint : "");
}

static int refuse_status(struct credremote *c, const struct fetch_reply *reply)
{
    bool passes = reply->status >= 500 || reply->status == 429 || reply->status == 408;
    const char *hint = c->service->hint ? c->service->hint(c, reply->status) : NULL;
    char why[CREDSERVICE_TEXT_SIZE] = "";
    struct secret_set none;

    secret_init(&none);
    if (reply->body_len > 0 && credservice_parse(c, reply, &none, why) == 0)
        why[0] = '\0';
    secret_done(&none);
    return credservice_refuse(c, passes ? -EAGAIN : -EPERM, "%s answers with status %ld%s%s%s%s",
                              c->service->name, reply->status, why[0] ? ": " : "", why,
                              hint ? "; " : "", hint ? hint : "");
}

/* Takes the one document that there is. */
static int take_document(struct credremote *c, const struct fetch_reply *reply,
                         struct secret_set *ret)
{
    char why[CREDSERVICE_TEXT_SIZE];
    int r = credservice_parse(c, reply, ret, why);

    return r < 0 ? credservice_refuse(c, r, "%s: %s", c->service->name, why) : 0;
}

static void finish(struct credremote *c, int r)
{
    char detail[CREDSERVICE_ROLE_SIZE + 8] = "";

    if (c->role[0] != '\0')
        (void)snprintf(detail, sizeof(detail), "role %s", c->role);
    c->fn(c->userdata, r, &c->set, r == 0 ? detail : c->why);
    credremote_cancel(c);
}

static int begin_step(struct credremote *c)
{
    int r = know_secrets(c);

    if (r < 0)
        return credservice_refuse(c, r, "%s", strerror(-r));
    c->service = services[c->route.steps[c->at].service];
    c->part = 0;
    buf_wipe(&c->token);
    return c->service->ask(c);
}

/* What a step came to. 1: it is asked again. */
static void go_on(struct credremote *c, int r, struct secret_set *set)
{
    if (r > 0) {
        c->part++;
        r = c->service->ask(c);
        if (r == 0)
            return;
    } else if (r == 0) {
        secret_move(set, &c->set);
        if (++c->at < c->route.n_steps) {
            r = begin_step(c);
            if (r == 0)
                return;
        }
    }
    if (r < 0)
        secret_done(&c->set);
    finish(c, r);
}

void credservice_ended(struct credremote *c, int r, struct secret_set *set)
{
    go_on(c, r, set);
}

static void on_reply(void *userdata, const struct fetch_reply *reply)
{
    struct credremote *c = userdata;
    struct secret_set set;
    int r;

    c->fetch = NULL;
    secret_init(&set);
    if (reply->error < 0)
        r = refuse_silence(c, reply);
    else if (reply->status != 200)
        r = refuse_status(c, reply);
    else
        r = (c->service->take ? c->service->take : take_document)(c, reply, &set);
    go_on(c, r, &set);
    secret_done(&set);
}

int credremote_start(sd_event *event, struct http *http, const struct reach *reach,
                     struct credroute *route, credremote_fn fn, void *userdata,
                     struct credremote **ret, char *why, size_t why_size)
{
    struct credremote *c = calloc(1, sizeof(*c));
    int r;

    if (!c) {
        credroute_done(route);
        (void)snprintf(why, why_size, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    *c = (struct credremote){
        .event = event, .http = http, .reach = reach, .fn = fn, .userdata = userdata};
    secret_init(&c->set);
    credroute_init(&c->route);
    credroute_move(route, &c->route);
    secret_move(&c->route.secrets, &c->set);
    buf_init(&c->token, CREDSERVICE_TOKEN_MAX);
    redact_init(&c->secrets);
    r = begin_step(c);
    if (r < 0) {
        (void)snprintf(why, why_size, "%s", c->why);
        credremote_cancel(c);
        return r;
    }
    *ret = c;
    return 0;
}

void credremote_cancel(struct credremote *c)
{
    if (!c)
        return;
    fetch_cancel(c->fetch);
    credprocess_cancel(c);
    buf_wipe(&c->token);
    redact_done(&c->secrets);
    secret_done(&c->set);
    credroute_done(&c->route);
    free(c);
}
