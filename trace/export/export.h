/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Turns a trace into Perfetto's format: one pass, in memory that the goroutines of one moment, open
 * tasks and regions, and names take. The file has
 *
 *   * a lane for each P: which goroutine it runs, by its start function, and system calls within;
 *   * chosen goroutines, each with a lane of its states, and one of mark assists;
 *   * the collector's phases, and pauses of the world;
 *   * tasks, and regions, on as many lanes as there are at once;
 *   * counters: goroutines that are runnable and in system calls, Ps, the heap and its goal;
 *   * CPU samples.
 *
 * Times are those of the trace's events; what was there when the trace began, begins with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/export/packets.h"
#include "trace/gotrace.h"

#define EXPORT_MAX_MEMORY ((size_t)256 << 20)
#define EXPORT_MAX_NAMES ((size_t)64 << 20)
#define EXPORT_GOROUTINES_MAX 1000 /* chosen */

struct export_options {
    int64_t since, until;      /* from the trace's begin; `until` 0: to its end */
    const int64_t *goroutines; /* those with lanes of their own, in order; borrowed */
    size_t n_goroutines;       /* at most EXPORT_GOROUTINES_MAX */
};

struct export_result {
    bool complete; /* the trace was read to its end, or as far as was asked for */
    uint64_t generations;
    int64_t window;          /* from the trace's first event to the last that was read */
    uint64_t packets, bytes; /* that were written */
    uint64_t left_out;       /* goroutines, tasks and regions for which there was no memory */
};

/*
 * Reads a trace, once, and gives its packets to `write`. 0; an error of gotrace, after which what
 * came before was written whole; or, when gotrace_last_error knows of none, -ENOMEM, -EOVERFLOW: the
 * trace's times make no sense, or what `write` returned.
 */
int export_run(struct gotrace *trace, const struct export_options *options, packets_write_fn write,
               void *userdata, struct export_result *ret);
