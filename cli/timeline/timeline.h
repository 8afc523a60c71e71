/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prints what timeline.h (of trace/timeline) found: lines for people, JSON for programs
 * (docs/timeline.schema.json). Private to timeline*.c.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/read/failure.h"
#include "trace/timeline/timeline.h"

#define TIMELINE_SCHEMA 1
#define TIMELINE_JSON_MAX (64u << 20)

/* A line has so many pieces, each of them a bin. */
#define TIMELINE_PIECES 10

struct timeline_view {
    const char *file;              /* "-" for standard input */
    unsigned version;              /* 26 for `go 1.26 trace` */
    uint64_t bytes;                /* that were read */
    const struct failure *failure; /* where and why it breaks off; NULL: it does not */
    size_t pieces;                 /* bins to a line: TIMELINE_PIECES, or a multiple of it */
    bool utf8;
};

/* A line of the table: a part of the trace's time. */
struct timeline_line {
    int64_t at; /* since the trace's begin */
    int64_t ns; /* it lasts; the last one may be shorter */
    struct bin sum;
};

/* How many bins to a line, so that there are at most so many lines. */
size_t timeline_pieces(const struct timeline_result *t, size_t most);

/* The i-th line. False behind the last one. */
bool timeline_line(const struct timeline_result *t, const struct timeline_view *view, size_t i,
                   struct timeline_line *ret);

/* The most goroutines that were runnable at once in a sum of that length. Of those that were there
 * when the trace began it is not known at once; so it may be the mean that says how many. */
int64_t timeline_most(const struct bin *sum, int64_t ns);

/* Appends one object. 0, -ENOMEM, or -E2BIG when that is more than the buffer may hold. */
int timeline_json(const struct timeline_result *t, const struct timeline_view *view,
                  struct buf *out);

/* The caller checks the stream for errors. */
void timeline_text(FILE *out, const struct timeline_result *t, const struct timeline_view *view);
