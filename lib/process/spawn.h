/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CHILD_SPAWN_H
#define CONTRACE_CHILD_SPAWN_H

/*
 * Starts a child: what the new process does between vfork(2) and execve(2) to give up its rights.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct spawn {
    const char *const *argv; /* argv[0] is a path */
    int in, out, err;        /* each above 2 */
    uint64_t memory;         /* bytes that it may write to, and … */
    uint64_t space;          /* … of address space */
    rlim_t seconds;          /* of processor time */
    rlim_t bytes;            /* the end of what it may write to a file */
    bool trusted;            /* no limits, and our environment */
};

/* The process id, or a negative errno: also when it is execve that failed. */
pid_t spawn(const struct spawn *s);

#endif
