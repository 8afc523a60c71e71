/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/holder.h"
#include "trace/findings/rule.h"

/* Goroutines that wait for a mutex, on average; and the share of these waits in the time in which
 * goroutines wait for a mutex, are runnable or run. Contention begins to cost when one goroutine
 * waits all the time. */
static const struct scale lock_waiters = {1, 4};
static const struct scale lock_share = {0.3, 0.7};

static double lock_contention(const struct facts *a, struct finding *f)
{
    const struct summary_class *lock = &a->s->classes.sync[STACK_LOCK];
    double waiters = a->lock / a->window;
    double active = a->lock + a->user + (double)a->s->goroutines.runnable;
    double part = rule_share(a->lock, active);

    rule_tell(f, "waiting_mean", waiters);
    rule_tell(f, "waiting_share", part);
    rule_tell(f, "waits", (double)lock->count);
    rule_tell(f, "wait_mean_ns", rule_share((double)lock->total, (double)lock->count));
    rule_tell(f, "wait_max_ns", (double)lock->max);
    f->lost = a->lock;
    holder_tell(a->s, f);
    rule_point_at(f, &a->s->delays[SUMMARY_SYNC], STACK_SET(STACK_LOCK));
    return rule_least(rule_scaled(waiters, lock_waiters), rule_scaled(part, lock_share));
}

#define LOCK_EVENTS 5

/* Waits for mutexes, including those that began before the trace. One that lasted all the time is no
 * chance. */
static double lock_events(const struct facts *a)
{
    if ((double)a->s->classes.unknown[STACK_LOCK].total >= a->window)
        return LOCK_EVENTS;
    return (double)a->s->classes.sync[STACK_LOCK].count +
           (double)a->s->classes.unknown[STACK_LOCK].count;
}

const struct rule rule_lock = {
    .score = lock_contention,
    .events = lock_events,
    .least = LOCK_EVENTS,
    .next =
        "These call sites wait. Find who holds the lock: hold it for less, split it, or do the slow "
        "part outside.",
};
