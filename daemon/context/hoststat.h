/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What /proc and /sys tell of the machine: its CPUs, load, and pressure stall information. */

#include <stdint.h>

#include "trace/findings/context.h"

/* With more CPUs than this /proc/stat is not read: the kernel writes a line for each, and one for
 * all interrupts, which takes it long. */
#define HOSTSTAT_CPUS 64

struct hoststat {
    int64_t cpus, busy, steal;
    double load;
    struct context_pressure cpu, memory, io;
};

/* Reads what is there now, below a root directory ("/"). Every number that cannot be read is
 * absent. */
void hoststat_read(int root, struct hoststat *ret);

/* Writes into the context what two readings say. `before` may be NULL. */
void hoststat_tell(const struct hoststat *before, const struct hoststat *after,
                   struct context *ret);
