/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A store's credentials in memory. They have one owner, and every release overwrites the bytes
 * first. The allocation functions are public so that the XML and JSON parsers, which handle
 * secrets, can use them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

#define SECRET_KEY_MAX 1024          /* bytes of the access key and of the secret key */
#define SECRET_TOKEN_MAX (16u << 10) /* of the session token */

struct secret_set {
    char *access_key; /* NULL (and the secret key, too) if there is only a token */
    char *secret_key;
    char *session_token; /* NULL: long-lived keys have none */
    usec expiry;         /* real time; USEC_NEVER */
};

/* Makes it empty; secret_done may be called. */
void secret_init(struct secret_set *s);

/* Wipes and releases; it is empty afterwards. */
void secret_done(struct secret_set *s);

/*
 * Makes credentials out of copies. `session_token` may be NULL or empty. -EINVAL for a key that is
 * empty or not visible ASCII (it becomes a part of a header), -E2BIG, -ENOMEM. `ret` must be empty;
 * it is written only on success.
 */
int secret_make(const char *access_key, const char *secret_key, const char *session_token,
                usec expiry, struct secret_set *ret);

/* The same with a token only, as Google's metadata server gives it. */
int secret_make_token(const char *session_token, usec expiry, struct secret_set *ret);

/* 0 or -ENOMEM. `ret` as for secret_make. */
int secret_copy(const struct secret_set *from, struct secret_set *ret);

/* Releases what `to` held and hands over what `from` holds; `from` is empty afterwards. */
void secret_move(struct secret_set *from, struct secret_set *to);

/* True if both are the same, including the expiry. */
bool secret_equal(const struct secret_set *a, const struct secret_set *b);

/* True if both are the same but perhaps for the expiry: a store that refuses one refuses the
 * other. */
bool secret_same_keys(const struct secret_set *a, const struct secret_set *b);

/* malloc(3) and friends; blocks are wiped before they are freed. */
void *secret_malloc(size_t n);
void *secret_realloc(void *old, size_t n);
void secret_free(void *block);

/* A copy of n bytes and a zero; NULL if memory is short. Release it by secret_free. */
char *secret_strndup(const char *s, size_t n);

static inline void secret_freep(char **p)
{
    secret_free(*p);
}

static inline void secret_donep(struct secret_set *s)
{
    secret_done(s);
}

#define _cleanup_secret_ __attribute__((cleanup(secret_freep)))
#define _cleanup_secret_set_ __attribute__((cleanup(secret_donep)))
