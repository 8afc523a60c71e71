/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/jsontext.h"
#include "base/parse.h"
#include "cli/common/screen.h"

#define TEXT_MAX 400 /* bytes of an error text of the other side */
#define RETRY_AFTER_MAX 86400

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct call *c = userdata;

    return buf_add(&c->answer, data, n) == 0 ? (ssize_t)n : HTTP_ABORT;
}

static void on_header(void *userdata, const char *name, const char *value)
{
    struct call *c = userdata;
    uint64_t seconds;

    if (strcasecmp(name, "Retry-After") == 0 &&
        parse_unsigned(value, RETRY_AFTER_MAX, &seconds) == 0)
        c->retry_after = (unsigned)seconds;
}

static void on_finished(void *userdata, const struct http_result *result)
{
    struct call *c = userdata;

    c->request = NULL;
    c->result = *result;
    c->done = true;
}

static const struct http_handlers handlers = {
    .body = on_body, .header = on_header, .finished = on_finished};

int call_start(struct call *c, struct endpoint *e, const char *method, const char *path,
               const struct buf *body, usec timeout)
{
    static const struct http_header type = {"Content-Type", "application/json"};
    _cleanup_free_ char *url = NULL;
    struct http_body sent = {
        .data = body ? buf_str(body) : NULL, .fd = -1, .size = body ? body->len : 0};
    struct http_options o = {.method = method,
                             .headers = &type,
                             .n_headers = body ? 1 : 0,
                             .body = body ? &sent : NULL,
                             .keep = true,
                             .unix_path = e->address.unix_path,
                             .connect_timeout = CALL_TIMEOUT,
                             .timeout = timeout};
    int r = -ENOMEM;

    *c = (struct call){.endpoint = e};
    buf_init(&c->answer, CALL_ANSWER_MAX);
    if (asprintf(&url, "%s%s", e->address.base, path) < 0) {
        url = NULL;
    } else {
        o.url = url;
        o.authorization = e->authorization.len > 0 ? buf_str(&e->authorization) : NULL;
        r = http_start(e->http, &o, &handlers, c, &c->request);
    }
    if (r < 0)
        complain("cannot ask %s: %s", e->name, strerror(-r));
    return r;
}

void call_done(struct call *c)
{
    if (c->request)
        http_cancel(c->request);
    c->request = NULL;
    buf_done(&c->answer);
}

int call_wait(struct call *c)
{
    int r = 0;

    while (r == 0 && !c->done)
        r = endpoint_wait(c->endpoint);
    return r;
}

bool call_ok(const struct call *c)
{
    return c->done && c->result.error == HTTP_OK && c->result.status / 100 == 2;
}

static void complain_of_transfer(const struct call *c)
{
    const struct endpoint *e = c->endpoint;
    const char *nor = e->passed_over ? ", nor at " : "";
    const char *other = e->passed_over ? e->passed_over : "";

    if (buf_error(&c->answer) == -ENOMEM)
        complain("not enough memory for the answer of %s", e->name);
    else if (buf_error(&c->answer) < 0)
        complain("the answer of %s is longer than %u MiB", e->name, CALL_ANSWER_MAX >> 20);
    else if (c->result.error == HTTP_CONNECT || c->result.error == HTTP_DNS)
        complain("no contraced answers at %s%s%s: %s. Is it running ('systemctl status "
                 "contraced'), and may you ask it? --address=ADDR names another place",
                 e->name, nor, other, c->result.text);
    else if (c->result.error == HTTP_TIMEOUT)
        complain("contraced at %s does not answer: %s", e->name, c->result.text);
    else
        complain("the answer of %s cannot be used: %s; is that contraced?", e->name,
                 c->result.text);
}

/* Reads the text out of contraced's {"error": "…"}; "" if there is none. */
static const char *said(const struct call *c, char out[static TEXT_MAX])
{
    json_t *o = NULL;
    const char *text;

    (void)jsontext_parse(buf_str(&c->answer), c->answer.len, 0, NULL, &o);
    text = json_string_value(json_object_get(o, "error"));
    (void)snprintf(out, TEXT_MAX, "%s", text ? text : "");
    json_decref(o);
    return out;
}

static void complain_of_token(const struct call *c)
{
    const struct endpoint *e = c->endpoint;

    if (e->token_file)
        complain("contraced at %s refuses the token in %s: is it that of its "
                 "web.bearer_token_file?",
                 e->name, e->token_file);
    else
        complain("contraced at %s wants a token: --token-file=FILE, or $CONTRACE_TOKEN_FILE",
                 e->name);
}

static void complain_of_status(const struct call *c)
{
    const char *name = c->endpoint->name;
    char text[TEXT_MAX];
    const char *colon;

    (void)said(c, text);
    colon = *text ? ": " : "";
    if (c->result.status == 401)
        complain_of_token(c);
    else if (c->result.status == 429 && c->retry_after > 0 && !strstr(text, "again in "))
        complain("%s%stry again in %u s", text,
                 *text ? "; " : "too many captures: ", c->retry_after);
    else if (c->result.status == 403)
        complain("contraced at %s refuses%s%s; its unix socket, or the address as its "
                 "configuration writes it, may do",
                 name, colon, text);
    else if (*text)
        complain("%s", text);
    else if (c->result.status == 404)
        complain("what answers at %s is not contraced, or older than this command", name);
    else
        complain("%s answers with status %ld", name, c->result.status);
}

void call_complain(const struct call *c)
{
    if (c->result.error != HTTP_OK)
        complain_of_transfer(c);
    else
        complain_of_status(c);
}

int call_json(const struct call *c, json_t **ret)
{
    json_t *o = NULL;
    int r;

    if (!call_ok(c)) {
        call_complain(c);
        return -EIO;
    }
    r = jsontext_parse(buf_str(&c->answer), c->answer.len, 0, NULL, &o);
    if (r == -ENOMEM) {
        complain("not enough memory");
        return r;
    }
    if (!json_is_object(o)) {
        json_decref(o);
        complain("what answers at %s is not contraced: no JSON object", c->endpoint->name);
        return -EIO;
    }
    *ret = o;
    return 0;
}

int call_ask(struct endpoint *e, const char *method, const char *path, const struct buf *body,
             json_t **ret)
{
    struct call c;
    int r = call_start(&c, e, method, path, body, CALL_TIMEOUT);

    if (r == 0)
        r = call_wait(&c);
    if (r == 0)
        r = call_json(&c, ret);
    call_done(&c);
    return r;
}
