/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "trace/findings/rule.h"

/*
 * By what the kernel counted, if that can be so: the share of the window's periods in which the
 * quota was used up, and the time for which threads were kept from running, for each time of the
 * window. Without that: the share of the window in silences that end in step with the period, at
 * least so many of them, and so large a part of all silences that chance does not do it.
 */
static const struct scale throttled_periods = {0.2, 0.5};
static const struct scale throttled_time = {0.05, 0.2};
static const struct scale throttled_silence = {0.1, 0.4};
#define IN_STEP_LEAST 5
#define IN_STEP_SHARE (2.0 / 3)

/* The window of the kernel's counters. */
static double window_of(const struct facts *a)
{
    return a->context->window > 0 ? (double)a->context->window : a->window;
}

static bool is_counted(const struct facts *a)
{
    return a->context && context_counts_throttling(a->context, window_of(a));
}

/* Periods in which nothing ran are not counted by the kernel, but are periods in which the quota
 * sufficed. */
static double periods_of(const struct facts *a)
{
    const struct context *c = a->context;

    return rule_most(window_of(a) / (double)c->period, (double)c->periods);
}

static double by_count(const struct facts *a)
{
    const struct context *c = a->context;
    double periods = rule_share((double)c->throttled_periods, periods_of(a));
    double score = rule_scaled(periods, throttled_periods);

    return c->throttled < 0
             ? score
             : rule_least(score, rule_scaled((double)c->throttled / window_of(a), throttled_time));
}

static double by_silence(const struct facts *a)
{
    const struct summary_silences *s = &a->s->silences;

    if (s->in_step < IN_STEP_LEAST || (double)s->in_step < IN_STEP_SHARE * (double)s->count)
        return 0;
    return rule_scaled((double)s->in_step_total / a->window, throttled_silence);
}

double rule_throttled_score(const struct facts *a)
{
    return is_counted(a) ? by_count(a) : by_silence(a);
}

static void tell_count(const struct facts *a, struct finding *f)
{
    const struct context *c = a->context;
    double cpus = (double)c->quota / (double)c->period;

    rule_tell(f, "throttled_periods", (double)c->throttled_periods);
    rule_tell(f, "throttled_periods_share",
              rule_share((double)c->throttled_periods, periods_of(a)));
    if (c->throttled >= 0)
        rule_tell(f, "throttled_ns", (double)c->throttled);
    if (c->usage >= 0)
        rule_tell(f, "cpu_used_ns", (double)c->usage);
    rule_tell(f, "quota_cpus", cpus);
    if ((double)a->s->procs.last > cpus)
        (void)snprintf(f->remark, sizeof(f->remark),
                       "GOMAXPROCS is %" PRId64 ", the quota %.3g CPU%s", a->s->procs.last, cpus,
                       cpus == 1 ? "" : "s");
}

static double cpu_throttled(const struct facts *a, struct finding *f)
{
    const struct summary_silences *s = &a->s->silences;

    f->lost = (double)s->goroutines;
    if (is_counted(a)) {
        f->lost = rule_most(f->lost, (double)a->context->throttled);
        tell_count(a, f);
    }
    rule_tell(f, "silent_share", (double)s->total / a->window);
    rule_tell(f, "silences", (double)s->count);
    rule_tell(f, "in_step", (double)s->in_step);
    rule_tell(f, "silence_max_ns", (double)s->longest);
    return rule_throttled_score(a);
}

const struct rule rule_throttled = {
    .score = cpu_throttled,
    .next =
        "Compare nr_throttled in the cgroup's cpu.stat; raise the CPU limit, or set GOMAXPROCS to "
        "it (Go 1.25 does) and do less at once.",
};
