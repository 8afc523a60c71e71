/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/credservice.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/secretfile.h"
#include "lib/store/identity/credplan.h"

#define FORM_HEADERS_MAX 8

const char *credservice_text(const struct credremote *c, enum credstep_text which)
{
    return c->route.steps[c->at].texts[which];
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

int credservice_send(struct credremote *c, const struct http_options *options)
{
    struct http_options o = *options;
    int r;

    reach_beside(c->reach, c->route.steps[c->at].peer, &o);
    r = redact_request(&c->secrets, &o);
    if (r == 0)
        r = fetch_start(c->http, &o, c->on_reply, c, &c->fetch);
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
