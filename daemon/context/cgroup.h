/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A process's cgroup and those above it, of version 1 or 2: CPU time and quota, memory, pressure.
 * A limit may stand above the process's own cgroup, as a pod's does above its containers'.
 */

#include <stdint.h>

#include "daemon/context/cgrouppath.h"

enum cgroup_part {
    CGROUP_CPU,
    CGROUP_CPUACCT, /* version 1 may count the time in a hierarchy of its own */
    CGROUP_MEMORY,
    CGROUP_PARTS,
};

/* Where they are. */
struct cgroup {
    struct cgrouppath parts[CGROUP_PARTS];
    uint32_t
        through; /* the directories are below the root directory of this process; 0: below ours */
};

/* What a level's files say at one moment, as in struct context. */
struct cgroup_cpu {
    int64_t quota, period, periods, throttled_periods, throttled, usage;
    struct context_pressure pressure;
};

struct cgroup_memory {
    int64_t current, max;
    struct context_pressure pressure;
};

struct cgroup_reading {
    struct cgroup_cpu cpu[CGROUPPATH_LEVELS]; /* the process's own level first */
    struct cgroup_memory memory[CGROUPPATH_LEVELS];
    struct context_pressure io;
};

/*
 * Finds the cgroup of a process below a root directory ("/"): by our own mounts or, where they do
 * not show it, as in the other container of a pod, by the mounts of the process itself. What cannot
 * be found is of version 0.
 */
void cgroup_find(int root, uint32_t pid, struct cgroup *ret);

/* Reads what is there now. Every number that cannot be read is absent. */
void cgroup_read(int root, const struct cgroup *g, struct cgroup_reading *ret);

/*
 * Writes into the context what two readings say. Of the levels with a CPU quota the one counts that
 * was throttled in most periods; of equal ones the one with the tightest quota, and of those the
 * nearest. `before` may be NULL: then only what the last reading says by itself.
 */
void cgroup_tell(const struct cgroup *g, const struct cgroup_reading *before,
                 const struct cgroup_reading *after, struct context *ret);
