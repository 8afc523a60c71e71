/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which goroutines there are at a moment: by where they are, with who created them. A goroutine that
 * is older than the trace has no creator and no age that the trace tells. Those that wait for ever
 * are there, too, unlike for Go's Summarizer.
 *
 * All memory is bounded: what finds no room is counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/goroutines/whereabouts.h"
#include "trace/gotrace.h"

/* Of goroutines, sums, stacks and texts. */
#define ALIVE_MAX_MEMORY ((size_t)256 << 20)

/* From the trace's beginning, nanoseconds; or its end. */
#define ALIVE_END INT64_MAX

struct alive;

struct alive_result {
    bool reached; /* the moment is in the trace */
    int64_t window, at;
    uint64_t at_start, count, created, ended; /* goroutines, up to the moment */
    uint64_t left_out;                        /* for whom there was no room: in none of these */
    uint64_t ungrouped;                       /* are in `count`, but in no group */
    const struct whereabouts_group *groups;   /* the most first */
    size_t n;
};

/* 0 or -ENOMEM. */
int alive_new(int64_t at, struct alive **ret);
void alive_free(struct alive *a);

/* Reads a trace to its end, once. 0; an error of gotrace, after which the result is of what came
 * before it; or, when gotrace_last_error knows of none, -ENOMEM or another of memory.h. */
int alive_run(struct alive *a, struct gotrace *trace);

/* Valid as long as the object. */
struct alive_result alive_result(const struct alive *a);
