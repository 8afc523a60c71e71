/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How long a goroutine, or a group of them, was in what state, as GoroutineExecStats in
 * internal/trace/summary.go: execution, waiting for the scheduler, blocking, and syscalls do not
 * overlap; ranges (assist, sweep, stop-the-world) overlap with these.
 *
 * Blocking is divided by reason and ranges by kind, in a list of shares, one for each column that
 * occurs. All lists are in one pool. When its memory is used up, time without a place of its own is
 * counted in `left_out`, but in the sums all the same.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"
#include "trace/goroutines/columns.h"

enum times_field {
    TIMES_TOTAL, /* between the first and the last moment in the trace */
    TIMES_EXEC,
    TIMES_SCHED_WAIT, /* runnable */
    TIMES_BLOCK,
    TIMES_SYSCALL,       /* with a P, or unknown to be without */
    TIMES_SYSCALL_BLOCK, /* after the P was taken away */
    TIMES_UNKNOWN,       /* the total without all of these */
    TIMES_ASSIST,
    TIMES_SWEEP,
    TIMES_STW,
    TIMES_N,
};

#define SHARES_NONE UINT32_MAX

struct share {
    int64_t ns;
    int64_t since; /* if `open` */
    uint32_t next; /* of the list, or of the free ones */
    uint16_t column;
    bool open; /* a range that has begun and not ended */
};

struct shares {
    struct memory *mem;
    const struct columns *columns;
    struct share *list;
    size_t n, cap;
    uint32_t free;
    int64_t left_out;
};

struct times {
    int64_t ns[TIMES_N];
    uint32_t shares; /* the list's first, or SHARES_NONE */
};

void shares_init(struct shares *s, const struct columns *columns, struct memory *mem);
void shares_done(struct shares *s);

void times_init(struct times *t);

/* Gives the list back. */
void times_done(struct times *t, struct shares *s);

/* The share of a column, or NULL. */
struct share *times_share(const struct times *t, const struct shares *s, uint16_t column);

/* The same, added if necessary; NULL if the pool's memory is used up. 0 or -ENOMEM. */
int times_need(struct times *t, struct shares *s, uint16_t column, struct share **ret);

/* Adds everything. 0 or -ENOMEM. */
int times_merge(struct times *t, struct shares *s, const struct times *from);

/* Neither is negative, nor is the sum, which saturates: no trace of a program comes near that. */
static inline int64_t times_plus(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static inline int64_t times_between(int64_t start, int64_t end)
{
    int64_t ns;

    if (end <= start)
        return 0;
    return __builtin_sub_overflow(end, start, &ns) ? INT64_MAX : ns;
}

/* The half of times_add that finds the share. */
int times_add_elsewhere(struct times *t, struct shares *s, uint16_t column, int64_t ns);

/* The sum that a column's time belongs to, by its kind. */
extern const uint8_t times_field_of[];

/* Adds time to a column, most often that of the list's first share. 0 or -ENOMEM. */
static inline int times_add(struct times *t, struct shares *s, uint16_t column, int64_t ns)
{
    unsigned field = times_field_of[s->columns->list[column].kind];
    struct share *first = t->shares != SHARES_NONE ? &s->list[t->shares] : NULL;

    t->ns[field] = times_plus(t->ns[field], ns);
    if (__builtin_expect(!first || first->column != column, 0))
        return times_add_elsewhere(t, s, column, ns);
    first->ns = times_plus(first->ns, ns);
    return 0;
}
