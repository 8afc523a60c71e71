/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which part of a trace a time line is of, and which goroutines have lanes of their own: those of
 * the summary's outliers. Private to timeline*.c.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/gotrace.h"
#include "trace/summary/summary.h"

/* There are no more goroutines among the outliers. */
#define TIMELINE_GOROUTINES_MAX (SUMMARY_N_SLOW * SUMMARY_SLOWEST)

struct timeline_choice {
    int64_t since, until; /* from the trace's begin; `until` 0: to its end */
    int64_t goroutines[TIMELINE_GOROUTINES_MAX];
    size_t n;
};

/*
 * Reads the trace of a file from its begin, once. `around`: the number of an outlier, from 1, in
 * whose neighbourhood the part is; 0: the choice's times are as they were. At most `most` goroutines
 * are chosen: that outlier's, the slowest of each kind, the second slowest, and so on. `spill` as in
 * gotrace_spill, or NULL. 0; a negative
 * errno after a message: -EINVAL if there is no such outlier. A trace that breaks off is no error
 * here.
 */
int timeline_choose(const char *file, int fd, gotrace_spill_fn spill, unsigned around, size_t most,
                    struct timeline_choice *ret);
