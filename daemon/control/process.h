/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The resources that this process uses, as the kernel counts them. The files of /proc are opened
 * once, so that they can still be read in a sandbox and when no descriptor is left.
 */

#include <stdint.h>

#include "base/clock.h"

struct process;

struct process_facts {
    double cpu_seconds;          /* of all threads, user and system */
    double children_cpu_seconds; /* of children that have ended */
    uint64_t resident_bytes, virtual_bytes;
    uint64_t open_fds, max_fds;
    usec start; /* real time */
};

/* Opens the files; numbers of those that cannot be opened stay 0. 0 or -ENOMEM. */
int process_new(struct process **ret);
void process_free(struct process *p);

void process_read(struct process *p, struct process_facts *ret);
