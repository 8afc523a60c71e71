/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prints what trace/trees found: text for people, JSON for programs (docs/tasks.schema.json).
 * Private to tasks*.c.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/read/failure.h"
#include "trace/trees/trees.h"

#define TASKS_SCHEMA 1
#define TASKS_JSON_MAX (64u << 20)

struct tasks_view {
    const char *file; /* "-" for standard input */
    const char *span; /* what is looked for; NULL: no span */
    const char *type;
    bool by_id;
    unsigned version;              /* 26 for `go 1.26 trace` */
    const struct failure *failure; /* where and why it breaks off; NULL: it does not */
    bool utf8;
};

/* A part of a time, of all stacks that look the same. */
struct tasks_part {
    const struct trees_part *like;
    int64_t ns;
};

/* The parts with their sites, the longest first. Returns how many. */
#define TASKS_PARTS_MAX (2 * TREES_PARTS_OF_ONE)
size_t tasks_parts(const struct trees *t, const struct trees_work *work,
                   struct tasks_part ret[static TASKS_PARTS_MAX]);

/* Waits by their reason, likewise; `like` has the reason. What is in no part is in none of these. */
size_t tasks_reasons(const struct trees *t, const struct trees_work *work,
                     struct tasks_part ret[static TASKS_PARTS_MAX]);

/* "running", "wait", …, for programs. */
const char *tasks_kind(enum trees_kind kind);

/* Appends one object. 0, -ENOMEM, or -E2BIG when that is more than the buffer may hold. */
int tasks_json(const struct trees *t, const struct tasks_view *view, struct buf *out);

/* The caller checks the stream for errors. */
void tasks_text(FILE *out, const struct trees *t, const struct tasks_view *view);
