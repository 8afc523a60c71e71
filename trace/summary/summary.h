/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a trace shows, in numbers: one pass over the events, in memory that does not grow with the
 * trace. It measures and judges nothing.
 *
 * The numbers that Go's tools give too are theirs: times in a state as internal/trace's Summarizer
 * sums them up, but for time in syscalls at the trace's end, which that counts as waiting for the
 * scheduler, too; the call sites as the profiles of `go tool trace -pprof=` count them, and beyond
 * that also what was before a goroutine's first run; the mutator's utilisation as internal/trace's
 * MutatorUtilizationV2 and MMUCurve. Durations and times are nanoseconds, shares between 0 and 1.
 * Everything hangs on the struct and goes with summary_done; texts end with a zero byte and hold
 * whatever bytes the trace had before.
 */

#include "trace/summary/numbers.h"

/*
 * Reads the trace to its end, from which it must not have been read before. 0, also if the trace
 * breaks off or contradicts itself after its first generation began: what came before is summed up,
 * and `complete` is false. Otherwise an error as gotrace_next, or -ENODATA when nothing follows the
 * header, and nothing to be released.
 */
int summary_run(struct gotrace *trace, struct summary *ret);

/* Releases what hangs on it. */
void summary_done(struct summary *s);
