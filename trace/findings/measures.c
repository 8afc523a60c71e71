/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers that several rules judge. */

#include "trace/findings/rule.h"

double rule_in_syscalls(const struct facts *a)
{
    double ret = 0;

    for (unsigned class = 0; class < STACK_N_CLASSES; class++) {
        if ((STACK_STANDING & STACK_SET(class)) == 0)
            ret += (double)a->s->classes.syscall[class].total;
    }
    return ret / a->window;
}

/* Whoever makes a file last waits for a disk, from this length on, on average, nanoseconds. */
#define SYNC_LEAST 1e6

/* Time in such calls, as far as it is not slow anyway; *ret_count is their number. */
static double in_syncs(const struct facts *a, double *ret_count)
{
    double count = (double)a->s->syncs.count, total = (double)a->s->syncs.total;
    bool waits = count > 0 && total / count >= SYNC_LEAST;

    *ret_count = waits ? count : 0;
    return waits ? rule_most(total - (double)a->s->syncs_slow, 0) : 0;
}

double rule_in_slow_calls(const struct facts *a)
{
    double ignored;

    return ((double)a->s->slow.total + in_syncs(a, &ignored)) / a->window;
}

/* Of the goroutines in syscalls that are slow, each begins a new one less often than this, a second,
 * that loses its P. */
#define STORM_CHURN 10

bool rule_is_storm(const struct facts *a)
{
    const struct summary_syscalls *calls = &a->s->syscalls;
    double within = rule_in_syscalls(a);
    double syncs, few;

    (void)in_syncs(a, &syncs);
    few = (double)calls->blocked - (double)a->s->slow.count - syncs;
    return rule_in_slow_calls(a) * 2 < within || few * 1e9 / a->window >= within * STORM_CHURN;
}

/* Goroutines in syscalls, on average, per P, where fewer Ps than STORM_MIN_PROCS count as so
 * many. */
static const struct scale storm_goroutines = {1, 3};
#define STORM_MIN_PROCS 4

double rule_storm_strength(const struct facts *a)
{
    double ignored, within = rule_in_syscalls(a) - in_syncs(a, &ignored) / a->window;

    return rule_scaled(within / rule_most(a->procs, STORM_MIN_PROCS), storm_goroutines);
}

/* Connections that are waited for longer than they take to open: all of them are in use. */
double rule_waits_for_own_conn(const struct facts *a)
{
    double own = (double)a->s->inside.conn.total - 2 * (double)a->s->inside.dials;

    return own * 2 > (double)a->s->inside.conn.total ? own : 0;
}

/*
 * A wait counts as a wait for an answer if its stack says so. If the stack says nothing, it counts
 * if it began and ended within the window: an unused connection would be silent for longer.
 */
double rule_waits_for_network(const struct facts *a, double *ret_count)
{
    const struct summary_classes *by = &a->s->classes;
    const struct summary_class *const sums[] = {
        &by->network[STACK_CALL],  &by->network[STACK_HANDLER], &by->network[STACK_POOL],
        &by->network[STACK_LIMIT], &by->network[STACK_JOIN],    &by->sync[STACK_CALL],
    };
    double total = 0;

    *ret_count = 0;
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        total += (double)sums[i]->total;
        *ret_count += (double)sums[i]->count;
    }
    /* A server of a protocol of its own may wait for its clients. */
    if (a->s->inside.accepts == 0) {
        total += (double)by->network[STACK_OTHER].whole_total;
        *ret_count += (double)by->network[STACK_OTHER].whole;
    }
    if (rule_waits_for_own_conn(a) > 0)
        return total;
    *ret_count += (double)by->sync[STACK_CONN].count;
    return total + (double)by->sync[STACK_CONN].total;
}
