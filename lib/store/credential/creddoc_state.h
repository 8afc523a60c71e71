/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Internals of creddoc.h, shared by its JSON and XML file.
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

/* Set the text, and return -EINVAL or -ENOMEM. */
int creddoc_refuse(char *why, size_t why_size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int creddoc_no_memory(char *why, size_t why_size);

/* Sets the text from the service's code and message, without anything that looks like a secret. */
int creddoc_refuse_by_service(const struct fields *f, char *why, size_t why_size);

/* Makes credentials. `must_expire`: an expiry and a token are required. */
int creddoc_take(const struct fields *f, bool must_expire, struct secret_set *ret, char *why,
                 size_t why_size);
