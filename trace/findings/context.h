/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the host knew of a target while a trace's window was open, as plain data. Differences are
 * over the window. A number that could not be had is CONTEXT_ABSENT, never 0.
 */

#include <stdint.h>

#define CONTEXT_ABSENT (-1)

struct context {
    int64_t window; /* nanoseconds between the two readings */

    /* The CPU quota that bounds the target most tightly, of its cgroup or one above it. */
    int64_t quota;             /* nanoseconds of CPU time for each period; absent if unlimited */
    int64_t period;            /* nanoseconds */
    int64_t periods;           /* that passed while something ran */
    int64_t throttled_periods; /* of these: in which it used up the quota */
    int64_t throttled;         /* nanoseconds, summed over CPUs as the kernel does */
    int64_t usage;             /* nanoseconds of CPU time */

    int64_t cpus_allowed; /* CPUs that the target's main thread may run on */
    int64_t cpus;         /* of the machine, online */
};
