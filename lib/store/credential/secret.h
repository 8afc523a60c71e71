/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The credentials of a store in memory: who owns them, and that no copy outlives its owner. Every
 * release overwrites the bytes first. The memory functions are public so that the parsers of XML
 * and JSON, through whose hands secrets pass, can be told to use them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

#define SECRET_KEY_MAX 1024          /* of the access key and of the secret key */
#define SECRET_TOKEN_MAX (16u << 10) /* of the session token */

struct secret_set {
    char *access_key; /* NULL, and the secret key too: the token is all there is */
    char *secret_key;
    char *session_token; /* NULL: long-lived keys have none */
    usec expiry;         /* real time; USEC_NEVER */
};

/* An empty set, which secret_done takes too. */
void secret_init(struct secret_set *s);

/* Wipes and releases; the set is empty afterwards. */
void secret_done(struct secret_set *s);

/*
 * Makes a set out of copies. `session_token` may be NULL or empty. -EINVAL for an empty key or one
 * with anything but visible ASCII (it would become part of a header), -E2BIG, -ENOMEM; `ret` is
 * only written on success, and what it held before is lost: hand in an empty one.
 */
int secret_make(const char *access_key, const char *secret_key, const char *session_token,
                usec expiry, struct secret_set *ret);

/* The same with a session token alone, as Google's metadata server gives it: no keys. */
int secret_make_token(const char *session_token, usec expiry, struct secret_set *ret);

/* 0 or -ENOMEM. `ret` as for secret_make. */
int secret_copy(const struct secret_set *from, struct secret_set *ret);

/* Releases what `to` held and hands over what `from` holds; `from` is empty afterwards. */
void secret_move(struct secret_set *from, struct secret_set *to);

/* True if a file that was read again holds what is in use already; the expiry counts. */
bool secret_equal(const struct secret_set *a, const struct secret_set *b);

/* The same, whatever the expiry: what one of them is refused for, the other is. */
bool secret_same_keys(const struct secret_set *a, const struct secret_set *b);

/* malloc(3) and friends with blocks that are wiped before they are given back. */
void *secret_malloc(size_t n);
void *secret_realloc(void *old, size_t n);
void secret_free(void *block);

/* A copy of n bytes with a zero behind; NULL without memory. Release it with secret_free. */
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
