/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The threads that have events left in this generation, the one with the earliest next event at the
 * top of a heap. Where times are equal, Go's reader decides by the shape of its heap, and by what
 * sorting makes of it; this heap has the same shape at every step.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"
#include "trace/reader/cursor.h"
#include "trace/reader/gosort.h"

struct frontier {
    struct memory *mem;
    struct cursor *cursors; /* one for each thread of the generation */
    size_t cursors_cap;
    struct frontier_entry *heap;
    size_t heap_cap;
    size_t n;
};

void frontier_init(struct frontier *f, struct memory *mem);
void frontier_done(struct frontier *f);

/* All threads of a generation, at their first events. 0, or an error as gotrace_next. */
int frontier_fill(struct frontier *f, const struct generation *gen);

/* The i-th cursor moved on, or (remove) has no more events. */
void frontier_moved(struct frontier *f, size_t i);
void frontier_remove(struct frontier *f, size_t i);

/* Puts all entries in order of time, as Go's reader does it. */
void frontier_sort(struct frontier *f);

/* The earliest time of all but the top's, INT64_MAX if there are no others. */
static inline int64_t frontier_second(const struct frontier *f)
{
    int64_t time = f->n > 1 ? f->heap[1].time : INT64_MAX;

    return f->n > 2 && f->heap[2].time < time ? f->heap[2].time : time;
}
