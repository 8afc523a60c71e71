/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What must be known of each P to tell whose time it is. */

#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"

/* The numbers of goroutines, or GOTRACE_NONE. */
struct on_p {
    int64_t in_syscall; /* went into a syscall with it, and has not lost it */
    int64_t sweeps;     /* began to sweep on it */
};

struct ps {
    struct memory *mem;
    struct idmap numbers;
    struct on_p *list;
    size_t n, cap;
};

void ps_init(struct ps *ps, struct memory *mem, uint64_t seed);
void ps_done(struct ps *ps);

/* No P, GOTRACE_NONE, has a place, too, as in Go's Summarizer. Valid until the next call. 0, or an
 * error of memory.h. */
int ps_get(struct ps *ps, int32_t p, struct on_p **ret);
