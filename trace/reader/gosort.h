/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sorts by time exactly as slices.SortFunc of Go does: where times are equal, the order of the
 * result follows from the steps that are taken, and Go's reader hands out events in that order. The
 * steps are those of a quicksort that looks for patterns (pdqsort; Go 1.21 and later), without a
 * difference that could be seen.
 */

#include <stddef.h>
#include <stdint.h>

struct cursor;

/* A thread, where it stands. */
struct frontier_entry {
    int64_t time; /* of the cursor's event */
    struct cursor *cursor;
};

void gosort(struct frontier_entry *list, size_t n);
