/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* The longest syscall as a share of the window, if it takes at least STUCK_MIN; and the longest
 * run of a goroutine while others were scheduled, in a window of up to STUCK_WINDOW; in a longer one
 * it must be longer accordingly. The runtime should interrupt a goroutine every 10 ms. */
static const struct scale stuck_share = {0.5, 0.9};
static const struct scale stuck_run = {3e8, 9e8};
#define STUCK_MIN 100000000
#define STUCK_WINDOW 2e9

/* With so many goroutines at any time that run for long without a pause, none of them is to blame:
 * there are more threads than CPUs, so that each of them waits for one within its run. */
#define STUCK_CROWD 3

static double stuck_proc(const struct facts *a, struct finding *f)
{
    const struct summary_longest *call = &a->s->syscalls.longest_active;
    const struct summary_longest *run = &a->s->longest_hold;
    double by_call = rule_scaled((double)call->duration / a->window, stuck_share);
    double by_run = rule_scaled(
        (double)run->duration * STUCK_WINDOW / rule_most(a->window, STUCK_WINDOW), stuck_run);
    const struct summary_longest *worst;

    /* In a syscall storm one that takes long is part of the crowd. */
    if (call->duration < STUCK_MIN || rule_storm_strength(a) >= 0.5)
        by_call = 0;
    if ((double)a->s->long_runs.total / a->window >= STUCK_CROWD)
        by_run = 0;
    worst = by_run > by_call ? run : call;
    rule_tell(f, "longest_syscall_ns", (double)call->duration);
    rule_tell(f, "longest_syscall_share", (double)call->duration / a->window);
    rule_tell(f, "longest_hold_ns", (double)run->duration);
    rule_tell(f, "in_syscall_mean", rule_in_syscalls(a));
    rule_tell(f, "goroutine", (double)worst->g);
    f->lost = (double)worst->duration;
    if (worst->at.func != NULL && worst->at.func[0] != '\0')
        f->sites[f->n_sites++] = (struct finding_site){worst->at, 1, worst->duration};
    return rule_most(by_call, by_run);
}

const struct rule rule_stuck = {
    .code = "stuck-proc",
    .score = stuck_proc,
    .next =
        "Find out what this call waits for (a hung disk or mount, a file lock, a C library), or why "
        "this loop cannot be interrupted.",
};
