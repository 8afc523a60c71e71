/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a program did, piece by piece of a trace's time: one pass over the events, in memory that
 * the pieces and the goroutines of one moment take. Times in a state are those of Go's Summarizer
 * (internal/trace/summary.go): what was there when the trace began counts from its begin.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/gotrace.h"
#include "trace/timeline/bins.h"

/* Bound of all memory: of some four million goroutines at once. */
#define TIMELINE_MAX_MEMORY ((size_t)256 << 20)

/* Times without an event that are longer are a freeze if there was something to run: as
 * SUMMARY_SILENCE of trace/summary/numbers.h. */
#define TIMELINE_SILENCE 40000000

/* No trace of a program spans more. */
#define TIMELINE_SPAN_MAX ((int64_t)400 * 86400 * 1000000000)

struct timeline_options {
    int64_t step;         /* of a bin; 0: 1 ms, or longer if there would be too many */
    int64_t since, until; /* from the trace's begin; `until` 0: to its end */
    size_t max_memory;    /* 0: TIMELINE_MAX_MEMORY */
};

/* Opaque but for what timeline_result gives. */
struct timeline;

struct timeline_result {
    bool complete; /* the trace was read to its end, or as far as was asked for */
    uint64_t generations;
    int64_t first;      /* the trace's first event */
    int64_t start, end; /* of the bins, the trace's time */
    uint64_t left_out;  /* goroutines for whom there was no memory */
    uint64_t freezes;   /* that began or ended between start and end */
    int64_t wall_start; /* of `first`, nanoseconds since 1970; 0: the trace does not tell */
    const struct bins *bins;
};

/* 0 or -ENOMEM. */
int timeline_new(const struct timeline_options *options, struct timeline **ret);
void timeline_free(struct timeline *t);

/*
 * Reads a trace, once. 0; an error of gotrace, after which the result is of what came before it; or,
 * when gotrace_last_error knows of none, -E2BIG: the step is too short, -EOVERFLOW: the trace's times
 * make no sense, or -ENOMEM.
 */
int timeline_run(struct timeline *t, struct gotrace *trace);

/* Valid as long as the object. */
struct timeline_result timeline_result(const struct timeline *t);
