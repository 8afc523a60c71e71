/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A landing whose bytes are hashed on their way, for what must be the same here as where it came
 * from. landing_finish, on the landing in it, gives it its name.
 */

#include <openssl/evp.h>

#include "cli/common/landing.h"

#define ARRIVAL_SHA256_SIZE 65 /* lower-case hex and its zero */

struct arrival {
    struct landing landing;
    EVP_MD_CTX *hash; /* owned */
};

/* As those of landing.h. */
int arrival_init(struct arrival *a, int out, const char *path);
void arrival_done(struct arrival *a);
int arrival_begin(struct arrival *a);
int arrival_write(struct arrival *a, const void *data, size_t n);

/*
 * What stands in the place: 1, with its hash; 0: nothing. -EISDIR for what is no regular file, or
 * another negative errno.
 */
int arrival_existing(const struct arrival *a, char ret_sha256[static ARRIVAL_SHA256_SIZE]);

/* The hash of what was written. Ends the writing. */
int arrival_sha256(struct arrival *a, char ret[static ARRIVAL_SHA256_SIZE]);
