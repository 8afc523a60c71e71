/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/http/answer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/parse.h"

#define QUOTE_MAX 200 /* bytes of the store's message */

void answer_init(struct answer *a)
{
    *a = (struct answer){0};
}

void answer_done(struct answer *a)
{
    xmlreply_free(a->xml);
    a->xml = NULL;
}

static bool is_word(const char *s)
{
    for (; *s; s++) {
        if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
            return false;
    }
    return true;
}

static bool is_visible(const char *s)
{
    for (; *s; s++) {
        if (*s <= ' ' || *s == 0x7f)
            return false;
    }
    return true;
}

static void take(char *to, size_t size, const char *value)
{
    if (strlen(value) < size)
        (void)strcpy(to, value);
}

static void take_sha256(struct answer *a, const char *value)
{
    char hex[STORE_SHA256_SIZE] = "";

    take(hex, sizeof(hex), value);
    for (char *c = hex; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (hex_is_sha256(hex))
        take(a->sha256, sizeof(a->sha256), hex);
}

void answer_header(struct answer *a, const char *meta_prefix, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *to;
        size_t size;
        bool (*good)(const char *value);
    } texts[] = {
        {"Date", a->date, sizeof(a->date), NULL},
        {"Retry-After", a->retry_after, sizeof(a->retry_after), NULL},
        {"x-amz-bucket-region", a->region, sizeof(a->region), is_word},
        {"x-ms-error-code", a->code, sizeof(a->code), is_word},
        {"x-amz-request-id", a->request_id, sizeof(a->request_id), is_visible},
        {"x-ms-request-id", a->request_id, sizeof(a->request_id), is_visible},
        {"x-guploader-uploadid", a->request_id, sizeof(a->request_id), is_visible},
    };
    size_t n = meta_prefix ? strlen(meta_prefix) : 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcasecmp(name, texts[i].name) == 0 && (!texts[i].good || texts[i].good(value)))
            take(texts[i].to, texts[i].size, value);
    }
    if (strcasecmp(name, "Content-Length") == 0)
        a->sized = parse_unsigned(value, UINT64_MAX, &a->size) == 0;
    else if (n > 0 && strncasecmp(name, meta_prefix, n) == 0 && strcasecmp(name + n, "sha256") == 0)
        take_sha256(a, value);
}

int answer_body(struct answer *a, const void *data, size_t n)
{
    size_t quote = sizeof(a->said) - a->n_said;
    int r;

    if (!a->xml && xmlreply_new_error(&a->error, &a->xml) < 0)
        return -ENOMEM;
    quote = n < quote ? n : quote;
    memcpy(a->said + a->n_said, data, quote);
    a->n_said += quote;
    r = xmlreply_feed(a->xml, data, n);
    a->body += n;
    if (r == -ENOMEM)
        return r;
    return a->body > XMLREPLY_ERROR_MAX ? -E2BIG : 0; /* the part that was read is valid */
}

static const char *first_of(const char *a, const char *b)
{
    return a[0] ? a : b;
}

void answer_facts(const struct answer *a, struct reply_facts *f)
{
    f->code = first_of(a->error.code, a->code);
    f->message = a->error.message;
    f->region_told = first_of(a->region, a->error.region);
    f->date = a->date;
    f->server_time = a->error.server_time;
}

/* A store, or a proxy in front of it, may repeat what it was sent: secrets are removed. */
static void add_quoted(struct buf *b, const char *before, const struct redact *secrets,
                       unsigned flags, const char *text, size_t n)
{
    char escaped[QUOTE_MAX + 1];
    struct buf e;

    if (n == 0)
        return;
    buf_over(&e, escaped, sizeof(escaped));
    redact_text(secrets, flags, text, n, QUOTE_MAX, &e);
    (void)buf_addf(b, "%s%s", before, buf_str(&e));
    explicit_bzero(escaped, sizeof(escaped));
}

static void add_answer(struct buf *b, const struct answer *a, const struct redact *secrets,
                       long status)
{
    const char *code = first_of(a->error.code, a->code);
    const char *id = first_of(a->error.request_id, a->request_id);

    (void)buf_addf(b, "%ld", status);
    if (code[0])
        add_quoted(b, " ", secrets, REDACT_KNOWN, code, strlen(code));
    if (a->error.message[0])
        add_quoted(b, ": ", secrets, 0, a->error.message, strlen(a->error.message));
    else if (!code[0])
        add_quoted(b, ": ", secrets, 0, a->said, a->n_said);
    if (id[0])
        add_quoted(b, ", request ", secrets, REDACT_KNOWN, id, strlen(id));
}

void answer_text(const struct answer *a, const struct http_result *result,
                 const struct redact *secrets, const char *hint, char out[static STORE_TEXT_MAX])
{
    struct buf b;

    buf_init(&b, STORE_TEXT_MAX - 1);
    if (result->status > 0)
        add_answer(&b, a, secrets, result->status);
    if (result->status >= 300 && result->proxy[0])
        (void)buf_addf(&b, ", through the proxy %s", result->proxy);
    if (result->error != HTTP_OK && result->error != HTTP_ABORTED)
        add_quoted(&b, b.len > 0 ? "; " : "", secrets, REDACT_KNOWN, result->text,
                   strlen(result->text));
    if (hint[0])
        (void)buf_addf(&b, "%s%s", b.len > 0 ? "; " : "", hint);
    (void)snprintf(out, STORE_TEXT_MAX, "%s", buf_str(&b));
    buf_done(&b);
}
