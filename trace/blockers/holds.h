/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums of waits by who ended them: where the waiter waited, who woke it and where, and what that one
 * did meanwhile. The table is bounded. A wait for which there is no room counts in the sums over
 * all alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/summary/numbers.h"
#include "trace/summary/sites.h"

#define HOLDS_MAX 16384
#define HOLDS_THINGS_MAX 65536 /* that goroutines do */
#define HOLDS_PARTS_MAX 32     /* things that are told apart of one row; the rest is unknown */

enum holds_kind {
    HOLDS_RAN,
    HOLDS_RUNNABLE,
    HOLDS_SYSCALL,
    HOLDS_SLEPT,
    HOLDS_NETWORK,
    HOLDS_WAITED, /* for another goroutine, or whatever else */
    HOLDS_UNKNOWN,
    HOLDS_N_KINDS,
};

/* Something that goroutines do. Stacks are numbers of sites.h, the reason is a text. */
struct holds_thing {
    enum holds_kind kind;
    uint32_t reason;
    uint32_t stack;
};

/* What makes a row. */
struct holds_pair {
    uint32_t reason; /* the text of the wait */
    uint32_t waiter; /* its stack */
    uint32_t waker;  /* where the other one woke it */
    uint32_t name;   /* that one's start function, a text */
};

struct holds_part {
    uint32_t thing;
    int64_t ns;
};

struct holds_row {
    struct holds_pair pair;
    uint64_t count;
    int64_t total, max;
    uint64_t holds;
    int64_t held, longest;
    uint32_t n_parts;
    struct holds_part parts[HOLDS_PARTS_MAX];
    int64_t unknown;
};

struct holds {
    struct memory *mem;
    uint64_t seed;
    struct idmap ids, thing_ids;
    struct holds_row *rows;
    size_t cap;
    uint32_t n;
    struct holds_thing *things;
    size_t things_cap;
    uint32_t n_things;
    uint64_t lost; /* waits without a row */
    int64_t lost_ns;
};

void holds_init(struct holds *h, struct memory *mem, uint64_t seed);
void holds_done(struct holds *h);

/* Forgets all sums; things keep their numbers. */
void holds_clear(struct holds *h);

/* The number of a thing; TRAIL_UNKNOWN if there is no room. */
uint32_t holds_thing(struct holds *h, const struct holds_thing *thing);

/* The row of a pair, or NULL. It is valid until the next call. */
struct holds_row *holds_row(struct holds *h, const struct holds_pair *pair);

/* Adds to what the waker did. A trail_fn whose userdata is a row. */
void holds_tell(void *row, uint32_t thing, int64_t ns);

/* What is found, by site. Texts are those of the sites. */
struct holds_did {
    enum holds_kind kind;
    const char *reason; /* the runtime's word for a wait, or "" */
    const char
        *call; /* of a syscall, or a wait for a pipe: the function, as syscall.Fdatasync; or "" */
    struct summary_frame at; /* texts "" if that is nowhere in particular */
    struct summary_own own;
    int64_t ns;
};

struct holds_blocker {
    const char *reason;
    enum stack_class class; /* of the wait */
    struct summary_frame waiter, waker;
    struct summary_own waiter_own, waker_own;
    const char *name; /* the waker's start function; "" if the trace does not tell */
    uint64_t count;
    int64_t total, max;
    uint64_t holds;
    int64_t held, longest;
    struct holds_did *did; /* the longest first */
    size_t n_did;
};

/* Whether that is a wait that is meant to wait, which delays nobody. */
bool holds_is_standing(const struct holds_blocker *b);

/* All rows, those of the same sites as one, the largest total first, but what is meant to wait last. *ret_n of them in memory that
 * holds_release frees. 0 or an error of memory.h. */
int holds_list(struct holds *h, const struct sites *s, struct holds_blocker **ret, size_t *ret_n);
void holds_release(struct holds_blocker *list, size_t n);
