/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which tasks of a trace are to be shown: the first of two passes. By themselves these are tasks
 * without a parent, the slowest first; or those of some type, with a number, or of a span. What is
 * kept are the slowest, whatever comes in between.
 *
 * A task that began before the trace is known from the first that mentions it, and counts from the
 * trace's beginning. One without an end counts up to the trace's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/trees/spanid.h"

#define WANTED_MAX 1000            /* tasks to show */
#define WANTED_OPEN_MAX (1U << 18) /* tasks that have begun and not ended */

struct wanted_query {
    const char *type; /* a part of the type; NULL: any */
    bool by_id;
    uint64_t id;
    const struct spanid *span; /* NULL: any */
    size_t limit;              /* at most WANTED_MAX */
};

struct wanted_task {
    uint64_t id;
    int64_t since; /* WANTED_OLDER: before the trace */
    int64_t duration;
    bool open;
};

#define WANTED_OLDER INT64_MIN

struct wanted_open;

struct wanted {
    struct wanted_query query;
    struct memory mem;
    struct wanted_task list[WANTED_MAX]; /* the slowest first */
    size_t n;
    uint64_t tasks;    /* in the trace */
    uint64_t matches;  /* of these */
    uint64_t left_out; /* began beside WANTED_OPEN_MAX others and did not end: they are not shown */
    bool begun;
    int64_t first, last;
    uint64_t least; /* the least number that began within the trace */
    struct idmap numbers;
    struct wanted_open *open;
    size_t open_cap;
    uint32_t n_open, free;
};

void wanted_init(struct wanted *w, const struct wanted_query *query, uint64_t seed);
void wanted_done(struct wanted *w);

/* Reads a trace to its end. 0; an error of gotrace, and what came before it counts; or one of
 * memory.h. */
int wanted_run(struct wanted *w, struct gotrace *trace);
