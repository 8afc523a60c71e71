/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The key under which names are hashed (HMAC-SHA256): one of a file, or one that nobody ever learns. */

#include <stddef.h>
#include <stdint.h>

#define KEY_MIN 16 /* bytes that a file must have at least, without white space at its end */

struct key;

/* A random key, if `path` is NULL. 0, or -EIO after a message. */
int key_new(const char *path, struct key **ret);

/* Wipes it. */
void key_free(struct key *key);

/* Hashes; `key` is a struct key. As pseudonym.h wants it. */
int key_digest(void *key, const void *text, size_t n, uint8_t ret[32]);
