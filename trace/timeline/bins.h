/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Time cut into pieces of one length, with how much of what was in each: pure arithmetic. What is
 * added covers a time from its begin to its end, so its cost does not depend on how many pieces
 * that is. The number of pieces is bounded: there they become longer, or it is an error.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"

#define BINS_MAX 32768

/* What takes time: each adds the nanoseconds that so many spent in it. */
enum bins_share {
    BINS_RUNNING, /* goroutines that run, and of blocked ones: */
    BINS_CHANNEL, /* in the order of enum waits_class */
    BINS_SYNC,
    BINS_NETWORK,
    BINS_SLEEP,
    BINS_OTHER,
    BINS_RUNNABLE,
    BINS_SYSCALL,
    BINS_MARK,    /* the collector marks */
    BINS_STOPPED, /* the world is stopped */
    BINS_FROZEN,  /* no thread writes an event, although there is something to run */
    BINS_N_SHARES,
};

/* What has a value at each moment. */
enum bins_level {
    BINS_WAITING_TO_RUN, /* goroutines that are runnable */
    BINS_HEAP,
    BINS_GOAL,
    BINS_PROCS,
    BINS_N_LEVELS,
};

struct bin {
    int64_t ns[BINS_N_SHARES];
    int32_t whole[BINS_N_SHARES]; /* how many more than in the bin before spend all of it so */
    uint32_t told;                /* a bit for each level that changed in this bin */
    int64_t most[BINS_N_LEVELS];
    int64_t last[BINS_N_LEVELS]; /* at its end */
};

struct bins {
    struct memory *mem;
    struct bin *list;
    size_t n, cap;
    int64_t start, step;
    int64_t end; /* nothing counts from there on; INT64_MAX: there is no end */
    bool grows;
};

/* `grows`: the step becomes 5, 10, 50, 100, … times as long when there are too many bins. */
void bins_init(struct bins *b, struct memory *mem, int64_t start, int64_t end, int64_t step,
               bool grows);
void bins_done(struct bins *b);

/* `n` of them, which may be negative, from `from` to `to`. 0; -E2BIG: too many bins; or an error of
 * memory.h. */
int bins_add(struct bins *b, enum bins_share share, int64_t from, int64_t to, int32_t n);

/* A level has another value from now on. Times ascend for each level; what was before the start
 * holds from the start on. Errors as above. */
int bins_set(struct bins *b, enum bins_level level, int64_t time, int64_t value);

/* All is added, up to this time: `ns`, `most` and `last` of all bins are final. The last bin may end
 * later. Errors as above. */
int bins_finish(struct bins *b, int64_t end);

/* n bins from the i-th on as one, after bins_finish. */
struct bin bins_sum(const struct bins *b, size_t i, size_t n);
