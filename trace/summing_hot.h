/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The changes of state that most of a trace consists of: a goroutine starts to run, blocks, and is
 * unblocked. They are here so that the loop over the events has them inside of it. They do what
 * leave and enter of summary_state.c do where nothing is special about the goroutine: no beginning
 * before the trace, no work for the GC, a proc, and stacks and reasons that were met before.
 * Whatever else there is goes there, before anything was changed here.
 */

#include "trace/summing.h"

/* The goroutine, if it is in that state and nothing else is to be known of it; or NULL. */
static inline struct summing_go *summing_hot_find(struct summing *s, const struct gotrace_event *e,
                                                  uint8_t state, unsigned flags) {
    struct summing_go *g = summing_go_find(s, (int64_t) e->args[0]);

    if (__builtin_expect(!g || g->state != state || (g->flags & ~flags) || s->go_procs <= 0, 0))
        return NULL;
    return g;
}

static inline void summing_hot_enter(struct summing *s, struct summing_go *g,
                                     const struct gotrace_event *e, uint8_t state) {
    s->n_changes++;
    g->since = e->time;
    g->flags = 0;
    g->state = g->go_state = state;
}

static inline int summing_hot_start(struct summing *s, const struct gotrace_event *e) {
    struct summing_go *g = summing_hot_find(s, e, GOTRACE_GO_RUNNABLE, SUMMING_OVERDUE);
    int64_t duration;

    if (__builtin_expect(!g || (uint32_t) e->p >= s->n_ps || s->ps[e->p].go, 0))
        return summing_go_event(s, e);
    summing_advance(s, e->time);
    duration = e->time - g->since;
    s->n_runnable--;
    s->n_overdue -= !!(g->flags & SUMMING_OVERDUE);
    summing_unqueue(s, g);
    sites_add(&s->sites, g->stack, SUMMARY_SCHED, duration);
    summing_hot_enter(s, g, e, GOTRACE_GO_RUNNING);
    s->procs_busy++;
    s->ps[e->p].known = true;
    s->ps[e->p].go = g;
    g->p = e->p;
    g->changes = s->n_changes;
    return histogram_add(&s->latency, duration);
}

static inline int summing_hot_block(struct summing *s, const struct gotrace_event *e) {
    struct summing_go *g = summing_hot_find(s, e, GOTRACE_GO_RUNNING, 0);
    uint32_t number = e->string < s->n_reason_of ? s->reason_of[e->string] : 0;
    uint32_t stack = e->stack < s->sites.n_handles ? s->sites.by_handle[e->stack] : 0;
    struct summing_reason *reason;
    struct summing_proc *p;
    int64_t duration;

    if (__builtin_expect(!g || number == 0 || stack == 0 || g->p == GOTRACE_NONE, 0))
        return summing_go_event(s, e);
    reason = &s->reasons[number - 1];
    if (__builtin_expect(reason->forever, 0) ||
        __builtin_expect(e->time - g->since > s->out->longest_hold.duration, 0))
        return summing_go_event(s, e);
    summing_advance(s, e->time);
    duration = e->time - g->since;
    p = &s->ps[g->p];
    p->sums.executing += duration;
    if (duration > p->sums.longest_run)
        p->sums.longest_run = duration;
    p->go = NULL;
    s->procs_busy--;
    g->p = GOTRACE_NONE;
    reason->count++;
    g->reason = (uint16_t) (number - 1);
    g->stack = reason->classes ? stack - 1 : SITES_NO_STACK;
    summing_hot_enter(s, g, e, GOTRACE_GO_WAITING);
    return 0;
}

/* One more that is runnable is of no importance for the times in which something was so. */
static inline int summing_hot_unblock(struct summing *s, const struct gotrace_event *e) {
    struct summing_go *g = summing_hot_find(s, e, GOTRACE_GO_WAITING, 0);
    uint32_t stack = e->stack < s->sites.n_handles ? s->sites.by_handle[e->stack] : 0;
    struct summing_reason *reason;
    int64_t duration;

    if (__builtin_expect(!g || stack == 0 || s->reasons[g->reason].forever, 0))
        return summing_go_event(s, e);
    if (s->n_runnable == 0)
        summing_advance(s, e->time);
    duration = e->time - g->since;
    reason = &s->reasons[g->reason];
    reason->total += duration;
    if (duration > reason->max)
        reason->max = duration;
    sites_add(&s->sites, g->stack, reason->column, duration);
    if (++s->n_runnable > s->out->scheduler.runnable_max)
        s->out->scheduler.runnable_max = s->n_runnable;
    g->stack = stack - 1;
    summing_hot_enter(s, g, e, GOTRACE_GO_RUNNABLE);
    summing_queue(s, g);
    return 0;
}
