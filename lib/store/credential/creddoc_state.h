/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The inside of creddoc.h, for its two files: what JSON and XML have in common.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/store/credential/creddoc.h"

enum {
    FIELD_ACCESS,
    FIELD_SECRET,
    FIELD_TOKEN,
    FIELD_EXPIRATION,
    FIELD_CODE,
    FIELD_MESSAGE,
    FIELDS
};

struct fields {
    const char *value[FIELDS]; /* NULL: not there */
};

/* Returns -EINVAL, with a text; and -ENOMEM. */
int creddoc_refuse(char *why, size_t why_size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int creddoc_no_memory(char *why, size_t why_size);

/* The service said why not: its code and its message, without what looks like a secret. */
int creddoc_refuse_by_service(const struct fields *f, char *why, size_t why_size);

/* Makes a set of keys. `must_expire`: and must have a token. */
int creddoc_take(const struct fields *f, bool must_expire, struct secret_set *ret, char *why,
                 size_t why_size);
