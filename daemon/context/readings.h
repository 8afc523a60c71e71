/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the host knows of a target's process, its cgroup and the machine, read twice: at the
 * beginning and at the end of a capture. The difference is the context of the trace. Each reading
 * takes some tens of small files of the kernel; as one of them may make it work, both are made on a
 * disk thread.
 */

#include <stdint.h>

#include "trace/findings/context.h"

struct readings;

/*
 * The first reading, below a root directory ("/"). pid 0: the process is not known, and only the
 * machine is read. So it is when the process cannot be seen, or is none that can be a target
 * (pidstat.h); of one that forwards what another machine may serve nothing is told at all. To be
 * freed; NULL when memory is short.
 */
struct readings *readings_begin(const char *root, uint32_t pid);

/* The second reading. */
void readings_end(struct readings *r);

/* What they say. Without a second reading: what the first says by itself, and no differences. */
void readings_context(const struct readings *r, struct context *ret);

/* NULL is fine. */
void readings_free(struct readings *r);
