/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* The share of the window in which a goroutine has waited for more than SUMMARY_OVERDUE although a P
 * is idle, without a thread; and the P time lost so, for each nanosecond that goroutines ran. In
 * every program this happens while threads wake up, but not most of the time, and not for longer
 * than the work takes. A P whose thread looks for work is not idle: it runs timers, polls the
 * network or wakes goroutines meanwhile. */
static const struct scale imbalance_share = {0.4, 0.7};
static const struct scale imbalance_lost = {1, 3};

static double scheduler_imbalance(const struct facts *a, struct finding *f)
{
    const struct summary_scheduler *sched = &a->s->scheduler;
    double part = rule_share((double)sched->overdue_with_idle, a->window);
    double lost = rule_share((double)sched->overdue_idle_lost, a->user);

    rule_tell(f, "overdue_share", part);
    rule_tell(f, "lost_per_run", lost);
    rule_tell(f, "overdue_waits", (double)sched->overdue_count);
    rule_tell(f, "latency_p50_ns", (double)sched->latency.p50);
    rule_tell(f, "latency_p99_ns", (double)sched->latency.p99);
    rule_tell(f, "busy_share", rule_share(a->user, a->available));
    f->lost = (double)sched->overdue_idle_lost;
    rule_point_at(f, &a->s->sites[SUMMARY_SCHED], STACK_ALL);
    if (a->wait >= RULE_WAIT_FOR_CPU)
        return 0;
    return rule_least(rule_scaled(part, imbalance_share), rule_scaled(lost, imbalance_lost));
}

static double imbalance_events(const struct facts *a)
{
    return (double)a->s->scheduler.overdue_count;
}

const struct rule rule_imbalance = {
    .score = scheduler_imbalance,
    .events = imbalance_events,
    .least = 100,
    .next =
        "Look for runtime.LockOSThread at these goroutines; if there is none, for too little CPU time "
        "from the host: throttling, or GOMAXPROCS above the quota.",
};
