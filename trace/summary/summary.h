/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums up a trace in numbers: one pass over the events, in memory that does not grow with the
 * trace. It measures, and judges nothing: that is for findings.h.
 *
 * Numbers that Go's tools give, too, are the same as theirs. Times in a state are those of
 * internal/trace's Summarizer, except for time in syscalls at the trace's end, which the Summarizer
 * also counts as waiting for the scheduler. Call sites are those of the profiles of
 * `go tool trace -pprof=`, but here what was before a goroutine's first run counts, too. The
 * mutator's utilisation is that of internal/trace's MutatorUtilizationV2 and MMUCurve. Durations
 * and times are nanoseconds, shares are between 0 and 1. The struct owns everything that it points
 * to, and summary_done releases it. Texts end with a zero byte; before that they have whatever
 * bytes the trace had.
 */

#include "trace/gotrace.h"
#include "trace/summary/numbers.h"
#include "trace/summary/sites.h"

/*
 * Reads the trace to its end; nothing may have been read from it before. 0, also if the trace
 * breaks off or contradicts itself after its first generation began: then everything before that is
 * summed up, and `complete` is false. Otherwise an error as from gotrace_next, or -ENODATA when
 * nothing follows the header; then there is nothing to release.
 */
int summary_run(struct gotrace *trace, struct summary *ret);

/* A time in which a goroutine was in one state and worked for a task (tasks.h). Numbers of stacks and
 * texts are those of the sites that a watcher is given. */
struct summary_stretch {
    int64_t g;
    uint64_t task; /* the innermost */
    int64_t from, to;
    int64_t assist; /* of it: in mark assist */
    uint8_t state;  /* enum gotrace_go_state */
    bool standing;  /* a wait or syscall that is meant to wait */
    uint32_t reason;
    uint32_t stack; /* where the state began */
};

/*
 * Who is told of tasks, one by one, while a trace is summed up. `marked` is called for each task,
 * region and log, before it counts if something begins, after that if it ends; and when a goroutine
 * is created that works for a task that `wants` names. What is done for a
 * task that `wants` names is told up to the nanosecond of its end. Errors of these functions end the
 * pass.
 */
struct summary_watcher {
    void *userdata;
    bool (*wants)(void *userdata, uint64_t task);
    int (*marked)(void *userdata, struct sites *sites, const struct gotrace *trace,
                  const struct gotrace_event *e);
    void (*worked)(void *userdata, const struct summary_stretch *stretch);
    /* The trace ended at this time. Texts live as long as the summary, all else until this returns. */
    int (*finish)(void *userdata, const struct sites *sites, int64_t first, int64_t last);
};

/* The same with a watcher. */
int summary_watch(struct gotrace *trace, const struct summary_watcher *watcher,
                  struct summary *ret);

/* Releases all lists and texts of the summary. */
void summary_done(struct summary *s);
