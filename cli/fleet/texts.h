/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The texts of records, one after the other, from the spool or else from the store.
 */

#include "cli/find/catalog.h"
#include "cli/find/sources.h"

/* 0, or a negative errno that ends it. */
typedef int (*texts_fn)(void *userdata, const struct entry *e, const char *text, size_t n);

/*
 * Calls `fn` for each entry that has a record, in the order of the catalog. 0; 1 if some could not
 * be read, after a message; or a negative errno after a message, unless it is fn's.
 */
int texts_read(struct sources *s, const struct catalog *c, texts_fn fn, void *userdata);
