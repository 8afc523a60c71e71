/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the goroutines of a trace did, summed up by the function that they started with, and one by
 * one those that did most of something: `go tool trace`'s page of goroutines. All times are those
 * of Go's Summarizer (internal/trace/summary.go), to the nanosecond, with what is peculiar to it:
 *
 *   * What was there before the trace counts from the last SYNC before it is first told of.
 *   * A goroutine that blocks for ever has ended.
 *   * Of a number that several goroutines had, one after the other, the last counts: a thread of C
 *     has one for all its calls into Go.
 *   * A goroutine that is in a syscall without its P at the trace's end has waited for the
 *     scheduler since it lost it, besides.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/goroutines/columns.h"
#include "trace/goroutines/groups.h"
#include "trace/goroutines/lives.h"
#include "trace/goroutines/times.h"
#include "trace/goroutines/worst.h"
#include "trace/gotrace.h"

/* Bounds of memory: of goroutines that live or are kept, and of names. */
#define GOROUTINES_MAX_MEMORY ((size_t)256 << 20)
#define GOROUTINES_MAX_NAMES ((size_t)64 << 20)

struct goroutines_options {
    size_t keep;      /* goroutines to keep one by one */
    const char *name; /* of those whose group's shown name contains this; borrowed; NULL: any */
    struct worst_order order;
    size_t max_memory; /* 0: GOROUTINES_MAX_MEMORY */
};

/* Opaque but for what goroutines_result gives. */
struct goroutines;

struct goroutines_result {
    bool complete; /* the trace was read to its end */
    uint64_t generations;
    int64_t start, window; /* the first event's time; nanoseconds to the last event */
    uint64_t count;        /* goroutines in all groups, */
    uint64_t matches;      /* and in those whose name fits the options */
    int64_t exec;          /* their time of execution, all of them */
    uint64_t left_out;     /* goroutines that began when memory was used up: they are in no group */
    int64_t left_out_ns;   /* time that is in a sum, but not in its division by reason */
    const struct texts *texts;
    const struct columns *columns;
    const struct shares *shares;
    const struct groups *groups;
    const struct worst *worst; /* sorted */
};

/* The texts of the options are borrowed. 0 or -ENOMEM. */
int goroutines_new(const struct goroutines_options *options, struct goroutines **ret);
void goroutines_free(struct goroutines *g);

/*
 * Reads a trace to its end, once. 0; an error of gotrace, after which the result is of what came
 * before it; or, when gotrace_last_error knows of none, -E2BIG over the bound of names or -ENOMEM.
 */
int goroutines_run(struct goroutines *g, struct gotrace *trace);

/* Valid as long as the object. */
struct goroutines_result goroutines_result(const struct goroutines *g);
