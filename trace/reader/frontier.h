/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A heap of threads with events left in this generation; the one with the earliest event is at the
 * top. For equal times Go's order depends on the shape of its heap and on its sorting algorithm.
 * This heap has the same shape after every step.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"
#include "trace/reader/cursor.h"
#include "trace/reader/gosort.h"

struct frontier {
    struct memory *mem;
    struct cursor *cursors; /* an entry for each thread of the generation */
    size_t cursors_cap;
    struct frontier_entry *heap;
    size_t heap_cap;
    size_t n;
};

void frontier_init(struct frontier *f, struct memory *mem);
void frontier_done(struct frontier *f);

/* Fills the heap with all threads of a generation, at their first events. 0, or an error as
 * gotrace_next. */
int frontier_fill(struct frontier *f, const struct generation *gen);

/* Updates the heap after the i-th cursor advanced or (remove) ended. */
void frontier_moved(struct frontier *f, size_t i);
void frontier_remove(struct frontier *f, size_t i);

/* Sorts all entries by time, as Go's reader does. */
void frontier_sort(struct frontier *f);

/* The earliest time besides the top's; INT64_MAX if there is no other entry. */
static inline int64_t frontier_second(const struct frontier *f)
{
    int64_t time = f->n > 1 ? f->heap[1].time : INT64_MAX;

    return f->n > 2 && f->heap[2].time < time ? f->heap[2].time : time;
}
