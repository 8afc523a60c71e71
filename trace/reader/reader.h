/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Internals of a reader, for code in trace/ that parses common events itself and leaves all others
 * to gotrace_next_batch.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/gotrace.h"
#include "trace/reader/frontier.h"
#include "trace/reader/generation.h"
#include "trace/reader/input.h"
#include "trace/reader/order.h"

enum stage { STAGE_HEADER, STAGE_BETWEEN, STAGE_EVENTS, STAGE_END };

struct gotrace {
    struct memory mem;
    struct fault fault;
    struct input in;
    struct generation gen;
    struct order order;
    struct frontier frontier;
    enum stage stage;
    const struct gotrace_event *next; /* in order.out: the next event to return */
    size_t next_sample;               /* of the generation */
    uint64_t syncs;
    uint64_t patience;
    double freq; /* of the last generation that was read */
    int fd;
    bool bounded; /* the size of a generation, by the options */
};

/* From now on gotrace_next_batch returns the events of one event of the trace at a time. */
void reader_give_one(struct gotrace *t);

/*
 * After an error: skips the rest of the trace and tells its size. There are no more events
 * afterwards.
 */
struct reader_rest {
    uint64_t bytes;
    uint64_t followed; /* of those bytes, up to the first that is no batch */
    int64_t time;      /* the latest time in batch headers, in the events' clock */
};
void reader_skip_rest(struct gotrace *t, struct reader_rest *ret);

/* A CPU sample is earlier than all events. */
static inline bool reader_sample_is_next(const struct gotrace *t)
{
    return t->next_sample < t->gen.n_samples &&
           (t->frontier.n == 0 || t->gen.samples[t->next_sample].time < t->frontier.heap[0].time);
}

/* The time after which another thread or a CPU sample comes first. */
static inline int64_t reader_turn_ends(const struct gotrace *t)
{
    int64_t time = frontier_second(&t->frontier);

    if (t->next_sample < t->gen.n_samples && t->gen.samples[t->next_sample].time < time)
        time = t->gen.samples[t->next_sample].time;
    return time;
}

/*
 * The thread whose event comes next, if there is one and it is known, no event waits to be handed
 * out, and nothing is wrong. Its events up to ret_ends may be tried as order.h says, as long as
 * each comes.
 */
static inline struct cursor *reader_turn(const struct gotrace *t, int64_t *ret_ends)
{
    struct cursor *c;

    if (t->stage != STAGE_EVENTS || t->next != t->order.next || t->fault.code != 0 ||
        t->frontier.n == 0 || reader_sample_is_next(t))
        return NULL;
    c = t->frontier.heap[0].cursor;
    *ret_ends = reader_turn_ends(t);
    return c->thread && c->m != GOTRACE_NONE ? c : NULL;
}

/* Ends a turn: the thread has more events, or none. */
static inline void reader_end_turn(struct gotrace *t, bool more)
{
    if (more)
        frontier_moved(&t->frontier, 0);
    else
        frontier_remove(&t->frontier, 0);
}
