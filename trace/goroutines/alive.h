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

#include "trace/gotrace.h"
#include "trace/summary/numbers.h"

/* Of goroutines, sums, stacks and texts. */
#define ALIVE_MAX_MEMORY ((size_t)256 << 20)
#define ALIVE_GROUPS_MAX 32768   /* different places */
#define ALIVE_CREATORS_MAX 65536 /* pairs of a place and who created goroutines that are there */

/* From the trace's beginning, nanoseconds; or its end. */
#define ALIVE_END INT64_MAX

/* Goroutines of one place that were created at another. */
struct alive_creator {
    struct summary_frame at;
    struct summary_own own;
    uint64_t count;
    int64_t oldest, newest; /* ages */
};

/* Goroutines that are at one place. */
struct alive_group {
    enum gotrace_go_state state;
    const char *reason;      /* of waiting; "" */
    const char *name;        /* the start function; "" if the trace does not tell */
    struct summary_frame at; /* the call site where they wait or are in a syscall; else texts "" */
    struct summary_own own;
    uint64_t count;
    uint64_t at_start; /* so many were there at the trace's beginning */
    uint64_t older;    /* of `count`: than the trace */
    int64_t longest;   /* for so long one is there, or from the trace's beginning */
    const struct alive_creator *creators; /* the most first */
    size_t n_creators;
};

struct alive;

struct alive_result {
    bool reached; /* the moment is in the trace */
    int64_t window, at;
    uint64_t at_start, count, created, ended; /* goroutines, up to the moment */
    uint64_t left_out;                        /* for whom there was no room: in none of these */
    uint64_t ungrouped;                       /* are in `count`, but in no group */
    const struct alive_group *groups;         /* the most first */
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
