/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* Syscalls per second whose P was taken away meanwhile. */
static const struct scale storm_blocked = {50, 300};

static double syscall_storm(const struct facts *a, struct finding *f)
{
    const struct summary_syscalls *calls = &a->s->syscalls;
    double blocked = (double)calls->blocked * 1e9 / a->window;

    rule_tell(f, "in_syscall_mean", rule_in_syscalls(a));
    rule_tell(f, "blocked_max", (double)calls->max_blocked_at_once);
    rule_tell(f, "blocked_per_s", blocked);
    rule_tell(f, "syscalls_per_s", (double)calls->count * 1e9 / a->window);
    rule_tell(f, "syscall_p99_ns", (double)calls->times.p99);
    rule_tell(f, "threads", (double)a->s->threads.seen);
    rule_tell(f, "procs", a->procs);
    f->lost = rule_in_syscalls(a) * a->window;
    rule_point_at(f, &a->s->delays[SUMMARY_SYSCALL], STACK_ALL);
    if (!rule_is_storm(a))
        return 0;
    return rule_least(rule_storm_strength(a), rule_scaled(blocked, storm_blocked));
}

static double storm_events(const struct facts *a)
{
    return (double)a->s->syscalls.blocked;
}

const struct rule rule_storm = {
    .score = syscall_storm,
    .events = storm_events,
    .least = 10,
    .next =
        "Bound how many goroutines enter these calls at once, and look at the disk or file that they "
        "wait for.",
};
