/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prints what trace/blockers found: text for people, JSON for programs (docs/blockers.schema.json).
 * Private to blockers*.c.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/read/failure.h"
#include "trace/blockers/blockers.h"

#define BLOCKERS_SCHEMA 1
#define BLOCKERS_JSON_MAX (64u << 20)

struct blockers_view {
    const char *file;              /* "-" for standard input */
    unsigned version;              /* 26 for `go 1.26 trace` */
    const struct failure *failure; /* where and why it breaks off; NULL: it does not */
    unsigned top;                  /* rows; 0: all */
    bool utf8;
};

/* Appends one object. 0, -ENOMEM, or -E2BIG when that is more than the buffer may hold. */
int blockers_json(const struct blockers_result *b, const struct blockers_view *view,
                  struct buf *out);

/* The caller checks the stream for errors. */
void blockers_text(FILE *out, const struct blockers_result *b, const struct blockers_view *view);
