/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums of waits by who ended them: the stack that waited, the stack in which another goroutine woke
 * it, and what that one had done before. The table is bounded; what finds no place in it is only
 * in the sums over all.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/summary/numbers.h"
#include "trace/summary/sites.h"

#define WAKERS_MAX 4096

/* Who woke whom. Stacks are numbers of sites.h. */
struct wakers_pair {
    uint32_t waiter;
    uint32_t at;     /* where the other one woke it */
    uint32_t before; /* enum summary_before */
    uint32_t reason; /* the text of that wait */
    uint32_t stack;  /* of that */
};

struct wakers_row {
    struct wakers_pair pair;
    uint64_t count;
    int64_t total;
};

struct wakers {
    struct memory *mem;
    uint64_t seed;
    struct idmap ids;
    struct wakers_row *rows;
    size_t rows_cap;
    uint32_t n;
};

void wakers_init(struct wakers *w, struct memory *mem, uint64_t seed);
void wakers_done(struct wakers *w);

/* A wait ended that took so many nanoseconds. */
void wakers_add(struct wakers *w, const struct wakers_pair *pair, int64_t total);

/* The rows with the largest totals, by call site. Lists are in the texts' arena. Errors of
 * memory.h. */
int wakers_top(struct wakers *w, struct sites *s, struct summary_wakers *ret);
