/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* Goroutines in syscalls, on average, per P, where fewer Ps than STORM_MIN_PROCS count as so many;
 * syscalls per second whose P was taken away meanwhile. */
static const struct scale storm_goroutines = {1, 3};
static const struct scale storm_blocked = {50, 300};
#define STORM_MIN_PROCS 4

double rule_in_syscalls(const struct facts *a)
{
    double ret = 0;

    for (unsigned class = 0; class < STACK_N_CLASSES; class++) {
        if ((STACK_STANDING & STACK_SET(class)) == 0)
            ret += (double)a->s->classes.syscall[class].total;
    }
    return ret / a->window;
}

double rule_storm_strength(const struct facts *a)
{
    return rule_scaled(rule_in_syscalls(a) / rule_most(a->procs, STORM_MIN_PROCS),
                       storm_goroutines);
}

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
    return rule_least(rule_storm_strength(a), rule_scaled(blocked, storm_blocked));
}

static double storm_events(const struct facts *a)
{
    return (double)a->s->syscalls.blocked;
}

const struct rule rule_storm = {
    .code = "syscall-storm",
    .score = syscall_storm,
    .events = storm_events,
    .least = 10,
    .next =
        "Bound how many goroutines enter these calls at once, and look at the disk or file that they "
        "wait for.",
};
