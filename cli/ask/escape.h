/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names in the paths and queries of requests: RFC 3986, all but the unreserved as %XX.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define ESCAPE_MAX 16384 /* bytes of a path with its query */

struct escape_pair {
    const char *name, *value; /* without a value it is left out */
};

/* Appends; a '/' stays if `path`. 0, -ENOMEM or -E2BIG. */
int escape_add(struct buf *b, const char *text, bool path);

/* Appends "&name=value" for each; a query has begun already. 0, -ENOMEM or -E2BIG. */
int escape_query(struct buf *b, const struct escape_pair *pairs, size_t n);
