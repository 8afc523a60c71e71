/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a process's cgroup is among the files, by what the kernel tells of both: cgroups(7),
 * cgroup_namespaces(7), proc_pid_mountinfo(5). Pure.
 */

#include <stdint.h>

#include "trace/findings/context.h"

#define CGROUPPATH_SIZE 1024
#define CGROUPPATH_LEVELS 16 /* further up is not looked */

struct cgrouppath {
    int version;                   /* of the hierarchy: 1 or 2; 0: none was found */
    unsigned levels;               /* that can be seen: the cgroup itself and those above it */
    char name[CONTEXT_LEVEL_SIZE]; /* as the process's list names it: "/shop.slice/shop.service" */
    char dir[CGROUPPATH_SIZE];     /* its directory, relative to the root: "sys/fs/cgroup/shop" */
    uint64_t mount;                /* the id of the mount that this directory stands on */
};

/*
 * Finds the cgroup that has the process's controller ("cpu"): of version 1 if one of its
 * hierarchies has that controller, else of version 2. `cgroups` is the text of /proc/PID/cgroup,
 * `mounts` that of a mountinfo. Of several mounts the one that shows most of the levels counts; one
 * that another covers shows none. 0, or -ENOENT when no mount shows it; then *ret is of version 0.
 */
int cgrouppath_find(const char *cgroups, const char *mounts, const char *controller,
                    struct cgrouppath *ret);

/* The name of the level that is `up` above it; it is written into `out` and returned. */
const char *cgrouppath_level(const struct cgrouppath *p, unsigned up,
                             char out[static CONTEXT_LEVEL_SIZE]);
