/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "trace/findings/rule.h"

/* The longest syscall as a share of the window, if it takes at least STUCK_MIN; and the longest
 * run of a goroutine while others were scheduled, in a window of up to STUCK_WINDOW; in a longer one
 * it must be longer accordingly. The runtime should interrupt a goroutine every 10 ms. */
static const struct scale stuck_share = {0.5, 0.9};
static const struct scale stuck_run = {3e8, 9e8};
/* Likewise how long the collector waits for the world to stop. A thread that waits for a CPU holds it
 * up, too, but hardly for STUCK_PAUSE_MIN. */
static const struct scale stuck_pause = {1e9, 2e9};
#define STUCK_PAUSE_MIN 2e9
#define STUCK_MIN 100000000
#define STUCK_WINDOW 2e9

static double longest_pause(const struct summary *s)
{
    double ret = 0;

    for (size_t i = 0; i < s->gc.stw_by_reason.n; i++) {
        const struct summary_row *row = &s->gc.stw_by_reason.list[i];

        if (strstr(row->name, "GC ") != NULL)
            ret = rule_most(ret, (double)row->times.max);
    }
    return ret;
}

/* While the collector waits, two run: who stops the world, and who does not stop. */
static double by_pause(const struct facts *a)
{
    double pause = longest_pause(a->s);

    if (pause < STUCK_PAUSE_MIN || (double)a->s->long_runs.total < 2 * pause)
        return 0;
    return rule_scaled(pause * STUCK_WINDOW / rule_most(a->window, STUCK_WINDOW), stuck_pause);
}

static double by_run(const struct facts *a)
{
    double duration = (double)a->s->longest_hold.duration;

    return rule_scaled(duration * STUCK_WINDOW / rule_most(a->window, STUCK_WINDOW), stuck_run);
}

/* Where there is a crowd, none of them is to blame. */
static bool is_crowd(const struct facts *a)
{
    return (double)a->s->long_runs.total / a->window >= RULE_CROWD;
}

double rule_held_up_score(const struct facts *a)
{
    return is_crowd(a) ? 0 : rule_most(by_run(a), by_pause(a));
}

static double stuck_proc(const struct facts *a, struct finding *f)
{
    const struct summary_longest *call = &a->s->syscalls.longest_active;
    const struct summary_longest *run = &a->s->longest_hold;
    double by_call = rule_scaled((double)call->duration / a->window, stuck_share);
    double held_up = rule_held_up_score(a);
    const struct summary_longest *worst;

    /* Among many that take long, one is part of the crowd. */
    if (call->duration < STUCK_MIN || rule_in_slow_calls(a) >= RULE_SLOW_CALLS ||
        (rule_is_storm(a) && rule_storm_strength(a) >= 0.5))
        by_call = 0;
    if (held_up > by_run(a))
        run = &a->s->longest_run;
    worst = held_up > by_call ? run : call;
    rule_tell(f, "longest_syscall_ns", (double)call->duration);
    rule_tell(f, "longest_syscall_share", (double)call->duration / a->window);
    rule_tell(f, "longest_hold_ns", (double)run->duration);
    rule_tell(f, "in_syscall_mean", rule_in_syscalls(a));
    rule_tell(f, "goroutine", (double)worst->g);
    rule_tell(f, "gc_pause_max_ns", longest_pause(a->s));
    f->lost = (double)worst->duration;
    rule_point_longest(f, worst);
    return rule_most(by_call, held_up);
}

const struct rule rule_stuck = {
    .score = stuck_proc,
    .next =
        "Find out what this call waits for (a hung disk or mount, a file lock, a C library), or why "
        "this loop cannot be interrupted.",
};
