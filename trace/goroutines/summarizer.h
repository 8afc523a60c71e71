/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rules of Go's Summarizer (internal/trace/summary.go): what each event adds to which
 * goroutine's time, but for regions and tasks. goroutines.h says what is peculiar to them.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/goroutines/columns.h"
#include "trace/goroutines/groups.h"
#include "trace/goroutines/lives.h"
#include "trace/goroutines/ps.h"
#include "trace/goroutines/worst.h"
#include "trace/gotrace.h"
#include "trace/common/texts.h"

struct summarizer {
    const struct gotrace *trace;
    const char *name; /* worst takes goroutines of these groups; NULL: all */
    struct texts texts;
    struct columns columns;
    struct shares shares;
    struct lives lives;
    struct groups groups;
    struct worst worst;
    struct ps ps;
    int64_t sync; /* the last SYNC */
    uint64_t generations;
    uint64_t count, matches; /* goroutines in all groups, and in those that the name fits */
    uint64_t left_out;       /* for whom there was no room */
    int64_t exec;            /* time of execution, of all */
};

/* Errors are those of memory.h. */
int summarizer_event(struct summarizer *s, const struct gotrace_event *e);

/* The trace ended at this time: all goroutines go into their groups. */
int summarizer_finish(struct summarizer *s, int64_t last);

/* The half for ranges: GC assists, sweeps, stop-the-world. */
int summarizer_range(struct summarizer *s, const struct gotrace_event *e);
