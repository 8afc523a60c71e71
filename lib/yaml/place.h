/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where in the file a value came from, for rules that are checked after all of it was read. A value
 * is known by its address in memory: that of the field it was stored in, or of the string itself.
 */

#include <stdbool.h>
#include <stddef.h>

struct place {
    const void *of;
    unsigned line, column; /* from 1 */
    bool bad;              /* an error was reported for it: rules must not use it */
};

struct places {
    struct place *items;
    size_t n, cap;
    bool sorted;
};

void places_done(struct places *p);

/* 0 or -ENOMEM. */
int places_add(struct places *p, const void *of, unsigned line, unsigned column, bool bad);

/* NULL if it did not come from the file. */
const struct place *places_find(struct places *p, const void *of);
