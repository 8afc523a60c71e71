/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The changes of state that most of a trace consists of: a goroutine starts to run, blocks, and is
 * unblocked. They do what leave and enter of summary_state.c do where nothing is special about the
 * goroutine: no beginning before the trace, no work for the GC, a proc, and stacks and reasons that
 * were met before; and about the program: summing_hot. summing_can_… says whether that is so and
 * changes nothing.
 */

#include "trace/summary/summing.h"

/* Called once or twice, and so small beside the price of a call in the loop over all events. */
#define HOT inline __attribute__((always_inline))

/* Not before GOMAXPROCS was told, and on no thread that is not counted yet. */
static inline bool summing_hot(const struct summing *s, int64_t m)
{
    return s->go_procs > 0 && summing_knows_thread(s, m);
}

/* Whether it is in that state and nothing else is to be known of it. */
static inline bool summing_is(const struct summing_go *g, uint8_t state, unsigned flags)
{
    return __builtin_expect(g && g->state == state && !(g->flags & ~flags), 1);
}

/* The same for one that runs, by its proc. */
static inline struct summing_go *summing_can_act(const struct summing_proc *p, int64_t id)
{
    struct summing_go *g = p->go;

    return summing_is(g, GOTRACE_GO_RUNNING, 0) && g->id == id ? g : NULL;
}

static inline void summing_enter(struct summing *s, struct summing_go *g, int64_t time,
                                 uint8_t state)
{
    s->n_changes++;
    g->since = time;
    g->flags = 0;
    g->state = g->go_state = state;
}

/* The proc of a thread whose events may be taken this way; NULL: they may not. */
static inline struct summing_proc *summing_proc_of(const struct summing *s, int64_t m, int32_t p)
{
    return (uint32_t)p < s->n_ps && summing_hot(s, m) ? &s->ps[p] : NULL;
}

/* A goroutine gets proc p of number n, which is free. */
static HOT int summing_start(struct summing *s, struct summing_go *g, struct summing_proc *p,
                             int32_t n, int64_t time)
{
    int64_t duration = time - g->since;

    summing_advance(s, time);
    s->n_runnable--;
    if (g->flags & SUMMING_OVERDUE)
        summing_set_overdue(s, s->n_overdue - 1);
    summing_unqueue(s, g);
    sites_add(&s->sites, g->stack, SUMMARY_SCHED, duration);
    summing_enter(s, g, time, GOTRACE_GO_RUNNING);
    s->procs_busy++;
    p->known = true;
    p->go = g;
    g->p = n;
    g->changes = s->n_changes;
    return histogram_add(&s->latency, duration);
}

/* A reason that is as others, for a goroutine that breaks no record. */
static inline bool summing_can_block(const struct summing *s, const struct summing_go *g,
                                     const struct summing_reason *reason, int64_t time)
{
    return !reason->forever && time - g->since <= s->out->longest_hold.duration;
}

/* It gives up proc p, which is its own. */
static HOT void summing_block(struct summing *s, struct summing_go *g, struct summing_proc *p,
                              struct summing_reason *reason, uint32_t stack, int64_t time)
{
    int64_t duration = time - g->since;

    summing_advance(s, time);
    p->sums.executing += duration;
    if (duration > p->sums.longest_run)
        p->sums.longest_run = duration;
    p->go = NULL;
    s->procs_busy--;
    g->p = GOTRACE_NONE;
    reason->count++;
    g->reason = (uint16_t)(reason - s->reasons);
    g->stack = reason->classes ? stack : SITES_NO_STACK;
    summing_enter(s, g, time, GOTRACE_GO_WAITING);
}

/* One more that is runnable is of no importance for the times in which something was so. */
static HOT void summing_unblock(struct summing *s, struct summing_go *g,
                                struct summing_reason *reason, uint32_t stack, int64_t time)
{
    int64_t duration = time - g->since;

    if (s->n_runnable == 0)
        summing_advance(s, time);
    reason->total += duration;
    if (duration > reason->max)
        reason->max = duration;
    sites_add(&s->sites, g->stack, reason->column, duration);
    if (++s->n_runnable > s->out->scheduler.runnable_max)
        s->out->scheduler.runnable_max = s->n_runnable;
    g->stack = stack;
    summing_enter(s, g, time, GOTRACE_GO_RUNNABLE);
    summing_queue(s, g);
}
