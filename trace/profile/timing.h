/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The pass that a profile needs first when what counts of a goroutine's time is known only later in
 * the trace: it reads the whole trace and fills spans.
 *
 * With a filter these are the regions of that type, of tasks of that type, or both, as cmd/trace
 * takes them (pprofMatchingRegions): a region without its end goes to the goroutine's or the
 * trace's, and one without its begin goes from the trace's. A goroutine that is created within a
 * region of a task is in that task, too, until it ends.
 *
 * Without a filter they are of those goroutines alone that end and begin anew under their old
 * number, as a thread does that C calls back from: of the time of such a number cmd/trace counts no
 * more than the last life, from its first run on.
 */

#include "trace/gotrace.h"
#include "trace/profile/spans.h"

struct timing_filter {
    const char *task; /* a type, borrowed; NULL: any or none */
    const char *region;
};

/*
 * Reads the trace to its end and seals the spans. 0, or an error of gotrace or memory.h: what was
 * read before it is in the spans all the same unless it is of memory.h.
 */
int timing_run(struct gotrace *trace, const struct timing_filter *filter, uint64_t seed,
               struct spans *spans);
