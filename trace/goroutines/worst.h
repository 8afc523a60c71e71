/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The so many goroutines of a trace that have most of something, while all of them pass by. Of
 * equal ones the lower number comes first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"
#include "trace/goroutines/lives.h"

#define WORST_MAX 10000 /* goroutines that are kept */

/* By what goroutines and groups are compared. */
struct worst_order {
    enum times_field field;
    const char *reason; /* or by blocking for this reason; borrowed; NULL: by the field */
    bool reverse;       /* the least is the worst */
};

struct worst {
    struct memory *mem;
    struct shares *shares;
    struct worst_order order;
    size_t max;
    struct worst_row {
        int64_t key;
        struct life life;
    } *list; /* a heap: the first would go next; after worst_sort the worst is the first */
    size_t n, cap;
    uint64_t left_out; /* goroutines that were not kept */
};

/* Keeps `max` goroutines, at most WORST_MAX. */
void worst_init(struct worst *w, const struct worst_order *order, size_t max, struct shares *shares,
                struct memory *mem);
void worst_done(struct worst *w);

/* What the order goes by; larger is worse. */
int64_t worst_key(const struct worst_order *order, const struct shares *shares,
                  const struct times *times);

/* Takes the goroutine's shares if it is kept, and gives those back that it takes the place of.
 * 0, or an error of memory.h. */
int worst_offer(struct worst *w, struct life *life);

void worst_sort(struct worst *w);
