/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prints what goroutines.h (of trace/goroutines) found: text for people, JSON for programs
 * (docs/goroutines.schema.json). Private to goroutines*.c.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/read/failure.h"
#include "trace/goroutines/goroutines.h"

#define GOROUTINES_SCHEMA 1
#define GOROUTINES_JSON_MAX (64u << 20)

/* What one may sort by, besides the count and reasons to block. */
struct goroutines_field {
    const char *name; /* for --sort */
    const char *head; /* of its column in the text, likewise; NULL: it has none */
    const char *key;  /* in the JSON */
};

extern const struct goroutines_field goroutines_fields[TIMES_N];

struct goroutines_view {
    const char *file; /* "-" for standard input */
    const char *name; /* of whose groups goroutines are shown one by one; NULL: none */
    unsigned version; /* 26 for `go 1.26 trace` */
    uint64_t bytes;
    const struct failure *failure; /* where and why it breaks off; NULL: it does not */
    const struct group **groups;   /* those to show, in their order */
    size_t n_groups;
    unsigned top;                 /* rows of each table; 0: all */
    const struct worst_order *by; /* what rows are sorted by, if no column of the text has it */
    bool utf8;
};

/* A reason to block, or a range, of a goroutine or a group. */
struct goroutines_share {
    char name[128];
    int64_t ns;
};

/* The shares of one kind that are not 0, the largest first: of blocking, or of all ranges. Returns
 * how many. */
size_t goroutines_shares(const struct goroutines_result *g, const struct times *t, bool ranges,
                         struct goroutines_share ret[COLUMNS_MAX]);

/* Appends one object. 0, -ENOMEM, or -E2BIG when that is more than the buffer may hold. */
int goroutines_json(const struct goroutines_result *g, const struct goroutines_view *view,
                    struct buf *out);

/* The caller checks the stream for errors. */
void goroutines_text(FILE *out, const struct goroutines_result *g,
                     const struct goroutines_view *view);
