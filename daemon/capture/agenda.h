/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which lane is due next: a binary heap of lanes by their `due`, so that ten thousand targets
 * need one timer.
 */

#include "daemon/capture/lane.h"

struct agenda {
    struct lane **heap; /* 1-based: heap[0] is not used */
    size_t n, cap;
};

void agenda_init(struct agenda *a);
void agenda_done(struct agenda *a);

/* Room for n lanes in all, so that agenda_set cannot fail. 0 or -ENOMEM. */
int agenda_reserve(struct agenda *a, size_t n);

/* Puts the lane in, or moves it, to be due at this boot time. USEC_NEVER takes it out. */
void agenda_set(struct agenda *a, struct lane *l, usec due);

/* The lane that is due first, still in the agenda; NULL when there is none. */
struct lane *agenda_first(const struct agenda *a);
