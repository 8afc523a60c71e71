/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of `contrace schedtrace` share: how a log is shown, as text and as JSON. */

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "trace/schedtrace/patterns.h"
#include "trace/schedtrace/schedlog.h"

#define SCHEDTRACE_SCHEMA 1
#define SCHEDTRACE_COLUMNS 100 /* so wide is the table at most */
#define SCHEDTRACE_JSON_MAX ((size_t)256 << 20)

struct schedtrace_view {
    const char *file;
    unsigned rows; /* of each process, the last ones; 0: all */
    bool utf8;
    const char *error; /* why the log was not read, or not to its end; NULL: it was */
};

/* The table's head, and a row. `tag`: which process, if several are shown together; 0: no column. */
void schedtrace_text_head(FILE *out, bool tagged);
void schedtrace_text_row(FILE *out, const struct snapshot *s, unsigned tag, bool utf8);

/* What was found in a process. */
void schedtrace_text_patterns(FILE *out, const struct process *p, const struct patterns *ps);

/* The process's name and how much is known of it, a line. */
void schedtrace_text_title(FILE *out, const struct process *p);

/* What of the log could not be read, and what no row tells. */
void schedtrace_text_foot(FILE *out, const struct schedlog *log);

/* All of it. */
void schedtrace_text(FILE *out, const struct schedlog *log, const struct schedtrace_view *view);

/* All of it, as one document. 0 or a negative errno. */
int schedtrace_json(const struct schedlog *log, const struct schedtrace_view *view,
                    struct buf *out);

/* A snapshot as an object on a line of its own, with the number of its process. */
int schedtrace_json_row(const struct process *p, const struct snapshot *s, struct buf *out);
