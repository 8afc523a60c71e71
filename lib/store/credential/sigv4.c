/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/credential/sigv4.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/hex.h"

#define REQUEST_MAX (64u << 10) /* bytes of a canonical request, or of an Authorization */
#define SHA256_SIZE 32
#define HEX_SIZE (2 * SHA256_SIZE + 1)
#define SCOPE_END "aws4_request"
#define ADDED_HEADERS 4 /* host and three x-amz- */

/* RFC 3986's unreserved characters are never encoded, all others always. */
static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int add_encoded(struct buf *out, const char *text, bool keep_slash)
{
    int r = 0;

    for (const char *p = text; *p && r == 0; p++) {
        unsigned char c = (unsigned char)*p;

        if (unreserved(c) || (c == '/' && keep_slash))
            r = buf_add(out, p, 1);
        else
            r = buf_addf(out, "%%%02X", c);
    }
    return r;
}

int sigv4_add_path(struct buf *url, const char *path)
{
    return add_encoded(url, path, true);
}

/* A pair in the form in which it is sorted and sent: both parts encoded. */
struct encoded {
    struct buf name, value;
};

static int compare_encoded(const void *pa, const void *pb)
{
    const struct encoded *a = pa, *b = pb;
    int r = strcmp(buf_str(&a->name), buf_str(&b->name));

    return r ? r : strcmp(buf_str(&a->value), buf_str(&b->value));
}

int sigv4_add_query(struct buf *url, const struct sigv4_pair *query, size_t n)
{
    struct encoded *e = calloc(n + 1, sizeof(*e));
    int r = e ? 0 : -ENOMEM;

    for (size_t i = 0; i < n && r == 0; i++) {
        buf_init(&e[i].name, REQUEST_MAX);
        buf_init(&e[i].value, REQUEST_MAX);
        r = add_encoded(&e[i].name, query[i].name, false);
        if (r == 0)
            r = add_encoded(&e[i].value, query[i].value, false);
    }
    if (r == 0)
        qsort(e, n, sizeof(*e), compare_encoded);
    for (size_t i = 0; i < n && r == 0; i++)
        r = buf_addf(url, "%s%s=%s", i ? "&" : "", buf_str(&e[i].name), buf_str(&e[i].value));
    for (size_t i = 0; e && i < n; i++) {
        buf_done(&e[i].name);
        buf_done(&e[i].value);
    }
    free(e);
    return r;
}

struct header_list {
    struct sigv4_pair *items;
    size_t n;
};

static int compare_headers(const void *pa, const void *pb)
{
    const struct sigv4_pair *a = pa, *b = pb;

    return strcasecmp(a->name, b->name);
}

/* All headers that are signed, sorted. */
static int collect_headers(const struct sigv4_request *q, const struct sigv4_credentials *c,
                           const char *date, struct header_list *ret)
{
    struct header_list l = {.items = calloc(q->n_headers + ADDED_HEADERS, sizeof(*l.items))};

    if (!l.items)
        return -ENOMEM;
    l.items[l.n++] = (struct sigv4_pair){"host", q->host};
    l.items[l.n++] = (struct sigv4_pair){"x-amz-date", date};
    l.items[l.n++] = (struct sigv4_pair){"x-amz-content-sha256", q->payload_sha256};
    if (c->session_token)
        l.items[l.n++] = (struct sigv4_pair){"x-amz-security-token", c->session_token};
    for (size_t i = 0; i < q->n_headers; i++)
        l.items[l.n++] = q->headers[i];
    qsort(l.items, l.n, sizeof(*l.items), compare_headers);
    for (size_t i = 1; i < l.n; i++) {
        if (strcasecmp(l.items[i - 1].name, l.items[i].name) == 0) {
            free(l.items);
            return -EINVAL;
        }
    }
    *ret = l;
    return 0;
}

static int add_lower(struct buf *out, const char *name)
{
    int r = 0;

    for (; *name && r == 0; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name + 'a' - 'A') : *name;

        r = buf_add(out, &c, 1);
    }
    return r;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Trims blanks at both ends, and makes each run of blanks inside one blank. */
static int add_trimmed(struct buf *out, const char *value)
{
    int r = 0;

    while (blank(*value))
        value++;
    while (*value && r == 0) {
        if (!blank(*value)) {
            r = buf_add(out, value++, 1);
            continue;
        }
        while (blank(*value))
            value++;
        if (*value)
            r = buf_add(out, " ", 1);
    }
    return r;
}

static int add_headers(struct buf *out, const struct header_list *l)
{
    int r = 0;

    for (size_t i = 0; i < l->n && r == 0; i++) {
        r = add_lower(out, l->items[i].name);
        if (r == 0)
            r = buf_adds(out, ":");
        if (r == 0)
            r = add_trimmed(out, l->items[i].value);
        if (r == 0)
            r = buf_adds(out, "\n");
    }
    return r;
}

static int add_names(struct buf *out, const struct header_list *l)
{
    int r = 0;

    for (size_t i = 0; i < l->n && r == 0; i++) {
        if (i > 0)
            r = buf_adds(out, ";");
        if (r == 0)
            r = add_lower(out, l->items[i].name);
    }
    return r;
}

static int hash_hex(const struct buf *b, char hex[static HEX_SIZE])
{
    unsigned char digest[SHA256_SIZE];

    if (EVP_Digest(buf_str(b), b->len, digest, NULL, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    hex_encode(digest, sizeof(digest), hex);
    return 0;
}

/* Step 1: hash the canonical request. */
static int hash_request(const struct sigv4_request *q, const struct header_list *l,
                        char hex[static HEX_SIZE])
{
    struct buf b;
    int r;

    buf_init(&b, REQUEST_MAX);
    r = buf_addf(&b, "%s\n", q->method);
    if (r == 0)
        r = sigv4_add_path(&b, q->path);
    if (r == 0)
        r = buf_adds(&b, "\n");
    if (r == 0)
        r = sigv4_add_query(&b, q->query, q->n_query);
    if (r == 0)
        r = buf_adds(&b, "\n");
    if (r == 0)
        r = add_headers(&b, l);
    if (r == 0)
        r = buf_adds(&b, "\n");
    if (r == 0)
        r = add_names(&b, l);
    if (r == 0)
        r = buf_addf(&b, "\n%s", q->payload_sha256);
    if (r == 0)
        r = hash_hex(&b, hex);
    buf_wipe(&b); /* the session token is one of the headers */
    return r;
}

/* Step 3: derive a key for this day, region and service. */
static int derive_key(const struct sigv4_request *q, const struct sigv4_credentials *c,
                      const char *day, unsigned char key[static SHA256_SIZE])
{
    const char *const steps[] = {day, q->region, q->service, SCOPE_END};
    struct buf secret;
    unsigned char next[SHA256_SIZE];
    int r;

    buf_init(&secret, REQUEST_MAX);
    r = buf_addf(&secret, "AWS4%s", c->secret_key);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r == 0; i++) {
        const void *from = i == 0 ? (const void *)buf_str(&secret) : key;
        size_t n = i == 0 ? secret.len : SHA256_SIZE;

        if (!HMAC(EVP_sha256(), from, (int)n, (const unsigned char *)steps[i], strlen(steps[i]),
                  next, NULL))
            r = -ENOMEM;
        else
            memcpy(key, next, SHA256_SIZE);
    }
    OPENSSL_cleanse(next, sizeof(next));
    buf_wipe(&secret);
    return r;
}

/* Steps 2 and 3: make the string to sign, and sign it. */
static int sign_string(const struct sigv4_request *q, const struct sigv4_credentials *c,
                       const char *date, const char *scope, const char *request_hex,
                       char hex[static HEX_SIZE])
{
    unsigned char key[SHA256_SIZE], mac[SHA256_SIZE];
    char day[9];
    struct buf text;
    int r;

    (void)snprintf(day, sizeof(day), "%.8s", date);
    buf_init(&text, REQUEST_MAX);
    r = buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, request_hex);
    if (r == 0)
        r = derive_key(q, c, day, key);
    if (r == 0 && !HMAC(EVP_sha256(), key, SHA256_SIZE, (const unsigned char *)buf_str(&text),
                        text.len, mac, NULL))
        r = -ENOMEM;
    if (r == 0)
        hex_encode(mac, SHA256_SIZE, hex);
    OPENSSL_cleanse(key, sizeof(key));
    buf_done(&text);
    return r;
}

/* 4: the header. */
static int authorize(const struct sigv4_request *q, const struct sigv4_credentials *c,
                     const char *date, const struct header_list *l, struct buf *out)
{
    char request_hex[HEX_SIZE], signature[HEX_SIZE];
    struct buf scope;
    int r;

    buf_init(&scope, 1024);
    r = buf_addf(&scope, "%.8s/%s/%s/" SCOPE_END, date, q->region, q->service);
    if (r == 0)
        r = hash_request(q, l, request_hex);
    if (r == 0)
        r = sign_string(q, c, date, buf_str(&scope), request_hex, signature);
    if (r == 0)
        r = buf_addf(out, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=", c->access_key,
                     buf_str(&scope));
    if (r == 0)
        r = add_names(out, l);
    if (r == 0)
        r = buf_addf(out, ",Signature=%s", signature);
    buf_done(&scope);
    return r;
}

static int format_date(usec time, char out[static SIGV4_DATE_SIZE])
{
    time_t seconds = (time_t)(time / USEC_PER_SEC);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) ||
        strftime(out, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm) != SIGV4_DATE_SIZE - 1)
        return -EINVAL;
    return 0;
}

int sigv4_sign(const struct sigv4_request *q, const struct sigv4_credentials *c,
               struct sigv4_signature *ret)
{
    struct sigv4_signature s;
    struct header_list headers;
    int r;

    if (q->path[0] != '/' || format_date(q->time, s.date) < 0)
        return -EINVAL;
    r = collect_headers(q, c, s.date, &headers);
    if (r < 0)
        return r;
    buf_init(&s.authorization, REQUEST_MAX);
    r = authorize(q, c, s.date, &headers, &s.authorization);
    free(headers.items);
    if (r < 0) {
        sigv4_signature_done(&s);
        return r;
    }
    *ret = s;
    return 0;
}

void sigv4_signature_done(struct sigv4_signature *s)
{
    buf_wipe(&s->authorization);
}
