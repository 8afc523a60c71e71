/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/credential/sharedkey.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEY_MAX 256 /* bytes of a key; Azure's have 64 */
#define SHA256_SIZE 32
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* Headers that get one line each, in this order; the line is empty if a header is not sent. */
static const char *const standard[] = {
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-MD5",
    "Content-Type",
    "Date",
    "If-Modified-Since",
    "If-Match",
    "If-None-Match",
    "If-Unmodified-Since",
    "Range",
};

static const char *value_of(const struct sharedkey_request *q, const char *name)
{
    for (size_t i = 0; i < q->n_headers; i++) {
        if (strcasecmp(q->headers[i].name, name) == 0)
            return q->headers[i].value;
    }
    return "";
}

static int add_standard(const struct sharedkey_request *q, struct buf *text)
{
    int r = buf_addf(text, "%s\n", q->method);

    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]) && r == 0; i++) {
        if (strcmp(standard[i], "Content-Length") != 0)
            r = buf_addf(text, "%s\n", value_of(q, standard[i]));
        else if (q->content_length > 0)
            r = buf_addf(text, "%llu\n", (unsigned long long)q->content_length);
        else
            r = buf_adds(text, "\n");
    }
    return r;
}

static int compare(const void *pa, const void *pb)
{
    const struct sharedkey_pair *const *a = pa, *const *b = pb;
    int r = strcasecmp((*a)->name, (*b)->name);

    return r ? r : strcmp((*a)->value, (*b)->value);
}

static int add_lower(struct buf *text, const char *name)
{
    int r = 0;

    for (; *name && r == 0; name++) {
        char c = (char)tolower((unsigned char)*name);

        r = buf_add(text, &c, 1);
    }
    return r;
}

/* The pairs whose names start with `prefix`, sorted. The caller frees it; NULL if memory is
 * short. */
static const struct sharedkey_pair **sorted(const struct sharedkey_pair *pairs, size_t n,
                                            const char *prefix, size_t *ret_n)
{
    const struct sharedkey_pair **list = calloc(n + 1, sizeof(*list));
    size_t count = 0;

    if (!list)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strncasecmp(pairs[i].name, prefix, strlen(prefix)) == 0)
            list[count++] = &pairs[i];
    }
    if (count > 1)
        qsort(list, count, sizeof(*list), compare);
    *ret_n = count;
    return list;
}

static int add_headers(const struct sharedkey_request *q, struct buf *text)
{
    size_t n = 0;
    const struct sharedkey_pair **list = sorted(q->headers, q->n_headers, "x-ms-", &n);
    int r = list ? 0 : -ENOMEM;

    for (size_t i = 0; i < n && r == 0; i++) {
        r = add_lower(text, list[i]->name);
        if (r == 0)
            r = buf_addf(text, ":%s\n", list[i]->value);
    }
    free(list);
    return r;
}

/* The parameters of one name share a line. */
static int add_resource(const struct sharedkey_request *q, struct buf *text)
{
    size_t n = 0;
    const struct sharedkey_pair **list = sorted(q->query, q->n_query, "", &n);
    int r = list ? buf_addf(text, "/%s%s", q->account, q->path) : -ENOMEM;

    for (size_t i = 0; i < n && r == 0; i++) {
        if (i > 0 && strcasecmp(list[i]->name, list[i - 1]->name) == 0) {
            r = buf_addf(text, ",%s", list[i]->value);
            continue;
        }
        r = buf_adds(text, "\n");
        if (r == 0)
            r = add_lower(text, list[i]->name);
        if (r == 0)
            r = buf_addf(text, ":%s", list[i]->value);
    }
    free(list);
    return r;
}

int sharedkey_text(const struct sharedkey_request *q, struct buf *text)
{
    int r = add_standard(q, text);

    if (r == 0)
        r = add_headers(q, text);
    return r < 0 ? r : add_resource(q, text);
}

/* Decodes the key: its length in bytes, or -EINVAL. */
static int decode(const char *key, unsigned char out[static KEY_MAX])
{
    size_t n = strlen(key);
    int len;

    if (n == 0 || n % 4 != 0 || n / 4 * 3 > KEY_MAX)
        return -EINVAL;
    if (strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != n)
        return -EINVAL;
    len = EVP_DecodeBlock(out, (const unsigned char *)key, (int)n);
    if (len < 0)
        return -EINVAL;
    len -= key[n - 1] == '=';
    return len - (key[n - 2] == '=');
}

int sharedkey_sign(const struct sharedkey_request *q, const char *key, struct buf *authorization)
{
    unsigned char secret[KEY_MAX], mac[SHA256_SIZE];
    char encoded[BASE64_SIZE(SHA256_SIZE)];
    struct buf text;
    int n = decode(key, secret), r;

    if (n < 0) {
        explicit_bzero(secret, sizeof(secret));
        return n;
    }
    buf_init(&text, SHAREDKEY_TEXT_MAX);
    r = sharedkey_text(q, &text);
    if (r == 0 &&
        !HMAC(EVP_sha256(), secret, n, (const unsigned char *)buf_str(&text), text.len, mac, NULL))
        r = -ENOMEM;
    explicit_bzero(secret, sizeof(secret));
    buf_done(&text);
    if (r < 0)
        return r;
    (void)EVP_EncodeBlock((unsigned char *)encoded, mac, sizeof(mac));
    return buf_addf(authorization, "SharedKey %s:%s", q->account, encoded);
}
