/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What this process takes of the machine, as the kernel counts it. What it reads from /proc is
 * opened once, so that it can still be told in a sandbox, and when no descriptor is left.
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

/* What cannot be read there stays 0. 0 or -ENOMEM. */
int process_new(struct process **ret);
void process_free(struct process *p);

void process_read(struct process *p, struct process_facts *ret);
