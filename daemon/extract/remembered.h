/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The last results of the extractor, by key and view: a bounded number of them, of bounded length
 * together. What was not asked for the longest time gives way.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/extract/extraction.h"

#define REMEMBERED_MAX 32           /* results, */
#define REMEMBERED_BYTES (8u << 20) /* and bytes of these */

struct remembered_entry {
    char *key; /* NULL: a free place */
    enum extraction_view view;
    enum extraction_end end;
    void *data;
    size_t n;
    char *text;
    uint64_t used; /* the number of the last question for it */
};

struct remembered {
    struct remembered_entry list[REMEMBERED_MAX];
    size_t bytes;
    uint64_t questions;
};

void remembered_done(struct remembered *r);

/* Takes a copy of a result, if there is memory and it is not too long. */
void remembered_add(struct remembered *r, const char *key, enum extraction_view view,
                    const struct extraction *result);

/* The result, with texts that are valid until the next remembered_add. False: not known. */
bool remembered_find(struct remembered *r, const char *key, enum extraction_view view,
                     struct extraction *ret);
