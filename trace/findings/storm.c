/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* Syscalls per second whose P was taken away meanwhile. */
static const struct scale storm_blocked = {50, 300};

/* The share of P time in short calls on files, and how many of them a second each P makes. */
static const struct scale storm_files_share = {0.2, 0.5};
static const struct scale storm_files_rate = {1e5, 3e5};
#define STORM_FILE_MAX 20000 /* nanoseconds: longer ones have work to do */

/* At most 1: a part of that time may be without a P. */
static double files_share(const struct facts *a)
{
    return rule_least(rule_share((double)a->s->syscalls.files_total, a->available), 1);
}

static double by_files(const struct facts *a)
{
    double n = (double)a->s->syscalls.files, total = (double)a->s->syscalls.files_total;
    double rate = rule_share(rule_rate(a, n), a->procs);

    if (rule_share(total, n) > STORM_FILE_MAX)
        return 0;
    return rule_least(rule_scaled(files_share(a), storm_files_share),
                      rule_scaled(rate, storm_files_rate));
}

static double by_blocked(const struct facts *a)
{
    double blocked = rule_rate(a, (double)a->s->syscalls.blocked);

    if (!rule_is_storm(a))
        return 0;
    return rule_least(rule_storm_strength(a), rule_scaled(blocked, storm_blocked));
}

static double syscall_storm(const struct facts *a, struct finding *f)
{
    const struct summary_syscalls *calls = &a->s->syscalls;

    rule_tell(f, "in_syscall_mean", rule_in_syscalls(a));
    rule_tell(f, "blocked_max", (double)calls->max_blocked_at_once);
    rule_tell(f, "blocked_per_s", rule_rate(a, (double)calls->blocked));
    rule_tell(f, "syscalls_per_s", (double)calls->count * 1e9 / a->window);
    rule_tell(f, "syscall_p99_ns", (double)calls->times.p99);
    rule_tell(f, "threads", (double)a->s->threads.seen);
    rule_tell(f, "procs", a->procs);
    rule_tell(f, "files_share", files_share(a));
    rule_tell(f, "files_per_s", rule_rate(a, (double)calls->files));
    f->lost = rule_in_syscalls(a) * a->window;
    rule_point_at(f, &a->s->delays[SUMMARY_SYSCALL], STACK_ALL);
    return rule_most(by_files(a), by_blocked(a));
}

static double storm_events(const struct facts *a)
{
    const struct summary_syscalls *calls = &a->s->syscalls;

    return (double)(by_files(a) > by_blocked(a) ? calls->files : calls->blocked);
}

const struct rule rule_storm = {
    .score = syscall_storm,
    .events = storm_events,
    .least = 10,
    .next =
        "Make fewer calls: buffer, batch, keep what is known. Bound how many goroutines enter them at "
        "once, and look at the disk or file that they wait for.",
};
