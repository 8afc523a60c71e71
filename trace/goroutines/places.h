/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counts of goroutines by where they are, and by who created those. Tables of alive.h, which says
 * what is bounded.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/goroutines/alive.h"
#include "trace/summary/sites.h"

/* Stacks are numbers of sites.h, name and reason are texts. */
struct places_key {
    uint32_t state;
    uint32_t reason;
    uint32_t stack;
    uint32_t name;
};

struct places_row {
    struct places_key key;
    uint64_t count, at_start, older;
    int64_t longest;
};

struct places_creator {
    uint32_t row, stack;
    uint64_t count;
    int64_t oldest, newest;
};

struct places {
    struct memory *mem;
    uint64_t seed;
    struct idmap ids, creator_ids;
    struct places_row *rows;
    size_t cap;
    uint32_t n;
    struct places_creator *creators;
    size_t creators_cap;
    uint32_t n_creators;
};

void places_init(struct places *p, struct memory *mem, uint64_t seed);
void places_done(struct places *p);

/* The row of a place. *ret is NULL if there is no room. 0 or -ENOMEM. */
int places_row(struct places *p, const struct places_key *key, struct places_row **ret);

/* Counts a goroutine of that row by its creator and age; without room it is in the row alone. 0 or
 * -ENOMEM. */
int places_created(struct places *p, const struct places_row *row, uint32_t stack, int64_t age);

/* What alive_result has: rows of the same sites as one, the most goroutines first, as far as they
 * have any or had any at the start. In memory that places_release frees. 0 or -ENOMEM. */
int places_list(const struct places *p, const struct sites *s, struct alive_group **ret,
                size_t *ret_n);
void places_release(struct alive_group *list, size_t n);
