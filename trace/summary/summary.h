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
#include "trace/summary/tasks.h"

/*
 * Reads the trace to its end; nothing may have been read from it before. 0, also if the trace
 * breaks off or contradicts itself after its first generation began: then everything before that is
 * summed up, and `complete` is false. Otherwise an error as from gotrace_next, or -ENODATA when
 * nothing follows the header; then there is nothing to release.
 */
int summary_run(struct gotrace *trace, struct summary *ret);

/* The part by which the category of a log tells that the message is an id of a span or a trace; NULL: it
 * is another one. */
const char *summary_id_category(const char *text, size_t len);

/* The same with a watcher. */
int summary_watch(struct gotrace *trace, const struct watcher *watcher, struct summary *ret);

/* Releases all lists and texts of the summary. */
void summary_done(struct summary *s);
