/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/credential/secret.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

void *secret_malloc(size_t n)
{
    return malloc(n);
}

/* Not realloc(3), which leaves the old block unwiped. */
void *secret_realloc(void *old, size_t n)
{
    size_t had = old ? malloc_usable_size(old) : 0;
    void *block;

    if (n == 0) {
        secret_free(old);
        return NULL;
    }
    block = malloc(n);
    if (!block)
        return NULL;
    if (old)
        memcpy(block, old, had < n ? had : n);
    secret_free(old);
    return block;
}

/* malloc_usable_size(3) tells the size, so any block of malloc may be passed. */
void secret_free(void *block)
{
    if (!block)
        return;
    OPENSSL_cleanse(block, malloc_usable_size(block));
    free(block);
}

char *secret_strndup(const char *s, size_t n)
{
    char *copy = secret_malloc(n + 1);

    if (!copy)
        return NULL;
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

void secret_init(struct secret_set *s)
{
    *s = (struct secret_set){.expiry = USEC_NEVER};
}

void secret_done(struct secret_set *s)
{
    secret_free(s->access_key);
    secret_free(s->secret_key);
    secret_free(s->session_token);
    secret_init(s);
}

/* 0, -EINVAL or -E2BIG. */
static int check_value(const char *value, size_t max)
{
    size_t n = strnlen(value, max + 1);

    if (n == 0)
        return -EINVAL;
    if (n > max)
        return -E2BIG;
    for (size_t i = 0; i < n; i++) {
        if (value[i] <= ' ' || value[i] > '~')
            return -EINVAL;
    }
    return 0;
}

int secret_make(const char *access_key, const char *secret_key, const char *session_token,
                usec expiry, struct secret_set *ret)
{
    struct secret_set s = {.expiry = expiry};
    int r = check_value(access_key, SECRET_KEY_MAX);

    if (r == 0)
        r = check_value(secret_key, SECRET_KEY_MAX);
    if (session_token && *session_token == '\0')
        session_token = NULL;
    if (r == 0 && session_token)
        r = check_value(session_token, SECRET_TOKEN_MAX);
    if (r < 0)
        return r;
    s.access_key = secret_strndup(access_key, strlen(access_key));
    s.secret_key = secret_strndup(secret_key, strlen(secret_key));
    if (session_token)
        s.session_token = secret_strndup(session_token, strlen(session_token));
    if (!s.access_key || !s.secret_key || (session_token && !s.session_token)) {
        secret_done(&s);
        return -ENOMEM;
    }
    *ret = s;
    return 0;
}

int secret_make_token(const char *session_token, usec expiry, struct secret_set *ret)
{
    int r = check_value(session_token, SECRET_TOKEN_MAX);
    char *copy;

    if (r < 0)
        return r;
    copy = secret_strndup(session_token, strlen(session_token));
    if (!copy)
        return -ENOMEM;
    *ret = (struct secret_set){.session_token = copy, .expiry = expiry};
    return 0;
}

int secret_copy(const struct secret_set *from, struct secret_set *ret)
{
    if (!from->access_key && from->session_token)
        return secret_make_token(from->session_token, from->expiry, ret);
    if (!from->access_key) {
        secret_init(ret);
        return 0;
    }
    return secret_make(from->access_key, from->secret_key, from->session_token, from->expiry, ret);
}

void secret_move(struct secret_set *from, struct secret_set *to)
{
    if (from == to)
        return;
    secret_done(to);
    *to = *from;
    secret_init(from);
}

static bool same(const char *a, const char *b)
{
    size_t n;

    if (!a || !b)
        return a == b;
    n = strlen(a);
    return n == strlen(b) && CRYPTO_memcmp(a, b, n) == 0;
}

bool secret_same_keys(const struct secret_set *a, const struct secret_set *b)
{
    return same(a->access_key, b->access_key) && same(a->secret_key, b->secret_key) &&
           same(a->session_token, b->session_token);
}

bool secret_equal(const struct secret_set *a, const struct secret_set *b)
{
    return a->expiry == b->expiry && secret_same_keys(a, b);
}
