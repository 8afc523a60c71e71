/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counts of goroutines by where they are, and by who created those.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/summary/sites.h"

#define WHEREABOUTS_MAX 32768 /* different places */
#define WHEREABOUTS_CREATORS_MAX \
    65536 /* pairs of a place and who created goroutines that are there */

/* Goroutines of one place that were created at another. */
struct whereabouts_creator {
    struct summary_frame at;
    struct summary_own own;
    uint64_t count;
    int64_t oldest, newest; /* ages */
};

/* Goroutines that are at one place. */
struct whereabouts_group {
    enum gotrace_go_state state;
    const char *reason;      /* of waiting; "" */
    const char *name;        /* the start function; "" if the trace does not tell */
    struct summary_frame at; /* the call site where they wait or are in a syscall; else texts "" */
    struct summary_own own;
    uint64_t count;
    uint64_t at_start; /* so many were there at the trace's beginning */
    uint64_t older;    /* of `count`: than the trace */
    int64_t longest;   /* for so long one is there, or from the trace's beginning */
    const struct whereabouts_creator *creators; /* the most first */
    size_t n_creators;
};

/* Stacks are numbers of sites.h, name and reason are texts. */
struct whereabouts_key {
    uint32_t state;
    uint32_t reason;
    uint32_t stack;
    uint32_t name;
};

struct whereabouts_row {
    struct whereabouts_key key;
    uint64_t count, at_start, older;
    int64_t longest;
};

struct whereabouts_pair {
    uint32_t row, stack;
    uint64_t count;
    int64_t oldest, newest;
};

struct whereabouts {
    struct memory *mem;
    uint64_t seed;
    struct idmap ids, creator_ids;
    struct whereabouts_row *rows;
    size_t cap;
    uint32_t n;
    struct whereabouts_pair *creators;
    size_t creators_cap;
    uint32_t n_creators;
};

void whereabouts_init(struct whereabouts *p, struct memory *mem, uint64_t seed);
void whereabouts_done(struct whereabouts *p);

/* The row of a place. *ret is NULL if there is no room. 0 or -ENOMEM. */
int whereabouts_row(struct whereabouts *p, const struct whereabouts_key *key,
                    struct whereabouts_row **ret);

/* Counts a goroutine of that row by its creator and age; without room it is in the row alone. 0 or
 * -ENOMEM. */
int whereabouts_created(struct whereabouts *p, const struct whereabouts_row *row, uint32_t stack,
                        int64_t age);

/* Rows of the same sites as one, the most goroutines first; some have none but had some at the beginning. In memory that whereabouts_release frees. 0 or -ENOMEM. */
int whereabouts_list(const struct whereabouts *p, const struct sites *s,
                     struct whereabouts_group **ret, size_t *ret_n);
void whereabouts_release(struct whereabouts_group *list, size_t n);
