/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/holder.h"
#include "trace/findings/rules.h"

/* Goroutines in slow syscalls, on average; and the share of this time in the time in which
 * goroutines are so, are runnable or run. The most of the Ps that the program may use: with more,
 * there is plenty to do beside. */
static const struct scale slow_goroutines = {RULE_SLOW_CALLS, 8};
static const struct scale slow_share = {0.3, 0.7};
#define SLOW_BUSY_MAX 0.7

/* Goroutines that waited for mutexes whose holders were in syscalls, on average, if that is what
 * locks are waited for. */
static double waiting_for_holders(const struct facts *a)
{
    if (holder_of_locks(a->s) != SUMMARY_IN_SYSCALL)
        return 0;
    return (double)a->s->wakers.lock[SUMMARY_IN_SYSCALL] / a->window;
}

/* The longest call of any site: the first is where most of the time went. */
static int64_t longest(const struct summary_sites *slow)
{
    int64_t ret = 0;

    for (size_t i = 0; i < slow->n; i++)
        ret = slow->list[i].max > ret ? slow->list[i].max : ret;
    return ret;
}

static double slow_syscalls(const struct facts *a, struct finding *f)
{
    const struct summary_sites *slow = &a->s->slow;
    double calls = rule_in_slow_calls(a), behind = waiting_for_holders(a);
    double delayed = (calls + behind) * a->window;
    double part = rule_share(delayed, delayed + a->user + (double)a->s->goroutines.runnable);
    double busy = rule_share(a->user, a->available);
    double score =
        rule_least(rule_scaled(calls + behind, slow_goroutines), rule_scaled(part, slow_share));
    struct finding lock = {.n_evidence = 0};

    rule_tell(f, "in_slow_calls_mean", calls);
    rule_tell(f, "slow_calls", (double)slow->count);
    rule_tell(f, "slow_call_mean_ns", rule_share((double)slow->total, (double)slow->count));
    rule_tell(f, "slow_call_max_ns", (double)longest(slow));
    rule_tell(f, "waiting_for_lock_mean", behind);
    if (a->s->syncs.count > 0)
        rule_tell(f, "syncs_per_s", rule_rate(a, (double)a->s->syncs.count));
    rule_tell(f, "delayed_share", part);
    rule_tell(f, "busy_share", busy);
    f->lost = delayed;
    rule_point_at(f, slow, STACK_ALL);
    if (a->s->syncs.total > slow->total)
        rule_point_at(f, &a->s->syncs, STACK_ALL);
    if (behind > 0) {
        holder_tell(a->s, f);
        rule_point_at(f, &a->s->delays[SUMMARY_SYSCALL], STACK_ALL);
        score = rule_most(score, rule_lock.score(a, &lock));
    }
    if (busy > SLOW_BUSY_MAX ||
        (rule_is_storm(a) && rule_storm_strength(a) >= rule_most(score, 0.5) && behind < calls))
        return 0;
    return score;
}

const struct rule rule_slow = {
    .score = slow_syscalls,
    .next = "Find out what these calls wait for: the disk (iostat, /proc/pressure/io), a mount, a "
            "full pipe, another process's file lock, a C library; and hold no lock over them.",
};
