/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A landing that hashes the bytes written to it, to compare them with the source. Call
 * landing_finish on the landing inside to give the file its name.
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
 * Whether a file has that name already: 1, with its hash; 0: none. -EISDIR if it is no regular
 * file, or another negative errno.
 */
int arrival_existing(const struct arrival *a, char ret_sha256[static ARRIVAL_SHA256_SIZE]);

/* The hash of what was written. Ends the writing. */
int arrival_sha256(struct arrival *a, char ret[static ARRIVAL_SHA256_SIZE]);
