/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "trace/findings/rule.h"

/* The share of the window in which every P has work and more is queued; queued goroutines per P;
 * how long goroutines wait for a P, by the 99th percentile or the mean; the share of P time that
 * the program itself uses, running or in a call on a socket, without the collector. */
static const struct scale cpu_queued = {0.5, 0.9};
static const struct scale cpu_queue = {1, 4};
static const struct scale cpu_latency = {1e6, 1e7};
static const struct scale cpu_user = {0.6, 0.8};

/* With many more Ps than CPUs, some are free only as their threads wait for a CPU. */
static bool has_no_cpu(const struct facts *a)
{
    return a->wait >= RULE_WAIT_FOR_CPU;
}

static double queued_time(const struct facts *a)
{
    double free = has_no_cpu(a) ? (double)a->s->scheduler.overdue_with_free : 0;

    return (double)a->s->procs.queued + free - (double)a->s->silences.kept.queued;
}

/* The window without silences in which the host let nobody run. */
static double own_time(const struct facts *a)
{
    return rule_most(a->window - (double)a->s->silences.kept.total, 1);
}

/* Goroutines that were runnable in that time, on average. */
static double runnable_mean(const struct facts *a)
{
    double all = a->s->scheduler.runnable_mean * a->window;

    return (all - (double)a->s->silences.kept.runnable) / own_time(a);
}

/* Goroutines that have a P, but whose threads wait for a CPU, at any time: nearly all of those that
 * run for long, although the runtime interrupts them every 10 ms. */
static double without_cpu(const struct facts *a)
{
    double crowd = (double)a->s->long_runs.total / a->window;

    return has_no_cpu(a) && crowd >= RULE_CROWD ? crowd : 0;
}

static double usable_time(const struct facts *a)
{
    return a->available - (has_no_cpu(a) ? (double)a->s->scheduler.overdue_lost : 0);
}

/* What is taken off above may overlap, so that a part seems to exceed the whole. */
static double portion(double share)
{
    return rule_most(rule_least(share, 1), 0);
}

/* Says so if there are more Ps than CPUs to run them. */
static void compare_cpus(const struct facts *a, struct finding *f)
{
    int64_t cpus = !a->context                  ? 0
                 : a->context->cpus_allowed > 0 ? a->context->cpus_allowed
                                                : a->context->cpus;

    if (cpus > 0 && a->s->procs.last > cpus)
        (void)snprintf(f->remark, sizeof(f->remark),
                       "GOMAXPROCS is %" PRId64 ", the process has %" PRId64 " CPU%s",
                       a->s->procs.last, cpus, cpus == 1 ? "" : "s");
}

static double cpu_saturated(const struct facts *a, struct finding *f)
{
    const struct summary_scheduler *sched = &a->s->scheduler;
    double queued = portion(queued_time(a) / own_time(a));
    double queue = rule_share(runnable_mean(a) + without_cpu(a), a->procs);
    double held = rule_least((double)a->s->procs.in_syscall, (double)a->s->syscalls.sockets_total);
    double user = portion(rule_share(a->user - a->assist + held, usable_time(a)));
    double p99 = (double)sched->latency.p99;
    /* Goroutines that never got to run are in no percentile, but are in this mean. */
    double mean = a->wait;
    double score = rule_least(rule_scaled(queued, cpu_queued), rule_scaled(queue, cpu_queue));

    rule_tell(f, "queued_share", queued);
    rule_tell(f, "runnable_mean", sched->runnable_mean);
    rule_tell(f, "runnable_max", (double)sched->runnable_max);
    rule_tell(f, "procs", a->procs);
    rule_tell(f, "busy_share", user);
    rule_tell(f, "latency_p50_ns", (double)sched->latency.p50);
    rule_tell(f, "latency_p99_ns", p99);
    rule_tell(f, "wait_mean_ns", mean);
    rule_tell_waits_for_cpu(a, f);
    compare_cpus(a, f);
    f->lost = (double)a->s->goroutines.runnable;
    rule_point_at(f, &a->s->sites[SUMMARY_SCHED], STACK_ALL);
    score = rule_least(score, rule_scaled(rule_most(p99, mean), cpu_latency));
    score = rule_least(score, rule_scaled(user, cpu_user));
    return rule_most(score, rule_waits_for_cpu_score(a, true));
}

/* Goroutines that got to run, and those that still wait for it. */
static double cpu_events(const struct facts *a)
{
    return (double)a->s->scheduler.latency.count + a->s->scheduler.runnable_mean;
}

const struct rule rule_saturated = {
    .score = cpu_saturated,
    .events = cpu_events,
    .least = 20,
    .next =
        "Take a CPU profile; give the process more CPUs (GOMAXPROCS, quota) or less to do at once.",
};
