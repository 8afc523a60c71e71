/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which target is due next: a binary heap of targets by their `due`, so that ten thousand of them
 * need one timer.
 */

#include "daemon/capture/target.h"

struct agenda {
    struct target **heap; /* 1-based: heap[0] is not used */
    size_t n, cap;
};

void agenda_init(struct agenda *a);
void agenda_done(struct agenda *a);

/* Room for n targets in all, so that agenda_set cannot fail. 0 or -ENOMEM. */
int agenda_reserve(struct agenda *a, size_t n);

/* Puts the target in, or moves it, to be due at this boot time. USEC_NEVER takes it out. */
void agenda_set(struct agenda *a, struct target *t, usec due);

/* The target that is due first, still in the agenda; NULL when there is none. */
struct target *agenda_first(const struct agenda *a);
