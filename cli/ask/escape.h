/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Percent-encodes names in paths and queries of requests: everything but RFC 3986's unreserved
 * characters.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define ESCAPE_MAX 16384 /* bytes of a path with its query */

struct escape_pair {
    const char *name, *value; /* NULL: the parameter is left out */
};

/* Appends; a '/' stays if `path`. 0, -ENOMEM or -E2BIG. */
int escape_add(struct buf *b, const char *text, bool path);

/* Appends "&name=value" for each; the path has a query already. 0, -ENOMEM or -E2BIG. */
int escape_query(struct buf *b, const struct escape_pair *pairs, size_t n);
