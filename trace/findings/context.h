/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the host knew of a target while a trace's window was open, as plain data. Differences are
 * over the window. A number that could not be had is CONTEXT_ABSENT, never 0; a text is empty.
 */

#include <stdbool.h>
#include <stdint.h>

#define CONTEXT_ABSENT (-1)
#define CONTEXT_LEVEL_SIZE 320 /* in Kubernetes a cgroup's path is about 230 bytes long */

/* Pressure stall information: nanoseconds in which some of the tasks waited, or all of them. */
struct context_pressure {
    int64_t some, full;
};

struct context {
    int64_t window; /* nanoseconds between the two readings */

    /* The CPU quota that bounds the target most tightly, of its cgroup or one above it. */
    int64_t quota;             /* nanoseconds of CPU time for each period; absent if unlimited */
    int64_t period;            /* nanoseconds */
    int64_t periods;           /* that passed while something ran */
    int64_t throttled_periods; /* of these: in which it used up the quota */
    int64_t throttled;         /* nanoseconds, summed over CPUs as the kernel does */
    int64_t usage;             /* nanoseconds of CPU time */

    /* Where these numbers are from. */
    int64_t cgroup_version;         /* 1 or 2 */
    char level[CONTEXT_LEVEL_SIZE]; /* path of the cgroup */
    int64_t levels_up;              /* 0: it is the target's own; 1: the one above it; … */
    struct context_pressure cgroup_cpu;

    /* The memory limit that bounds it most tightly; its own cgroup if none is limited. */
    char memory_level[CONTEXT_LEVEL_SIZE];
    int64_t memory_levels_up;
    int64_t memory_current, memory_max; /* bytes at the end; max: absent if unlimited */
    struct context_pressure cgroup_memory, cgroup_io;

    /* The target's process. Gauges are of the end of the window. */
    int64_t threads;
    int64_t rss; /* bytes */
    int64_t open_fds;
    int64_t cpus_allowed;         /* CPUs that its main thread may run on */
    int64_t cpu;                  /* nanoseconds of CPU time, in steps of 10 ms */
    int64_t run_wait;             /* nanoseconds that its threads waited for a CPU, summed */
    int64_t voluntary_switches;   /* its threads gave up the CPU */
    int64_t involuntary_switches; /* they were preempted */
    int64_t major_faults;         /* page faults that waited for a disk */

    /* The machine. */
    int64_t cpus;  /* online */
    double load;   /* average of the last minute */
    int64_t busy;  /* nanoseconds of CPU time of everybody, summed over CPUs */
    int64_t steal; /* nanoseconds that the hypervisor gave to others, summed over CPUs */
    struct context_pressure host_cpu, host_memory, host_io;
};

/* Everything is absent. */
void context_init(struct context *c);

/*
 * Whether the counters of the quota can be so: there is a quota, they agree with each other, and
 * the window in which they were counted, of so many nanoseconds (0: not known), has room for them.
 * Counters of another cgroup or window, or that were set back meanwhile, say nothing.
 */
bool context_counts_throttling(const struct context *c, double window);

/* A part of what there can be at most, as a share up to 1. Negative if it is not known, or more
 * than can be: a tenth more may be the coarse steps of a counter. */
double context_share(int64_t part, double most);
