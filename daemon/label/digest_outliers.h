/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The slowest of each kind, out of a summary's member `outliers`, as they go into the record: fewer,
 * and of each only what is known here, in the form that it should have. Pure.
 */

#include <jansson.h>
#include <stddef.h>

#define DIGEST_OUTLIERS 3 /* of each kind; fewer where there is no room */

/* An object with lists of at most so many. NULL when memory is short. */
json_t *digest_outliers(const json_t *from, size_t most);
