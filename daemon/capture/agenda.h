/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds the lane that is due next: a binary heap of lanes, ordered by `due`, so that ten thousand
 * targets need only one timer.
 */

#include "daemon/capture/lane.h"

struct agenda {
    struct lane **heap; /* 1-based: heap[0] is not used */
    size_t n, cap;
};

void agenda_init(struct agenda *a);
void agenda_done(struct agenda *a);

/* Makes room for n lanes in total, so that agenda_set cannot fail. 0 or -ENOMEM. */
int agenda_reserve(struct agenda *a, size_t n);

/* Adds or moves the lane so that it is due at this boot time. USEC_NEVER removes it. */
void agenda_set(struct agenda *a, struct lane *l, usec due);

/* The lane that is due first, without removing it; NULL if the agenda is empty. */
struct lane *agenda_first(const struct agenda *a);
