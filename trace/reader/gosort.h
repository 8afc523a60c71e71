/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sorts by time with the same result as Go's slices.SortFunc. That sort is not stable: the order of
 * equal times follows from its steps, and Go's reader returns events in that order. So this takes
 * the same steps, those of a pattern-defeating quicksort (pdqsort, Go 1.21 and later).
 */

#include <stddef.h>
#include <stdint.h>

struct cursor;

/* A thread and the time of its next event. */
struct frontier_entry {
    int64_t time; /* of the cursor's event */
    struct cursor *cursor;
};

void gosort(struct frontier_entry *list, size_t n);
