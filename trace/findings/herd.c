/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "trace/findings/rule.h"

/* How often a second goroutines are woken many together, and their share of all turns. */
static const struct scale herd_rate = {2e3, 1e4};
static const struct scale herd_share = {0.3, 0.6};

/* The same where it is not Broadcast that wakes them: a message for all looks alike. */
static const struct scale herd_any_rate = {2e4, 1e5};
static const struct scale herd_any_share = {0.5, 0.8};

/* So many are runnable at once, this share of them waits again, and turns are no longer than this,
 * in nanoseconds: they find nothing to do. */
#define HERD_AT_ONCE 20
#define HERD_AGAIN 0.8
#define HERD_TURN_MAX 20000

static double waits_on_cond(const struct facts *a)
{
    const struct summary_goroutines *g = &a->s->goroutines;

    for (size_t i = 0; i < g->n_waits; i++) {
        if (strcmp(g->waits[i].reason, "sync.(*Cond).Wait") == 0)
            return (double)g->waits[i].count;
    }
    return 0;
}

static double share_of_turns(const struct facts *a, const struct summary_sites *woken)
{
    return rule_least(rule_share((double)woken->count, rule_turns(a)), 1);
}

static double strength(const struct facts *a, const struct summary_sites *woken, struct scale rate,
                       struct scale share)
{
    return rule_least(rule_scaled(rule_rate(a, (double)woken->count), rate),
                      rule_scaled(share_of_turns(a, woken), share));
}

/* Woken by sync.Cond.Broadcast. */
static double by_broadcast(const struct facts *a)
{
    const struct summary_sites *woken = &a->s->woken_together;
    double again = rule_share(waits_on_cond(a), (double)woken->count);

    if (again < HERD_AGAIN || a->s->scheduler.runnable_max < HERD_AT_ONCE ||
        rule_share(a->user, rule_turns(a)) > HERD_TURN_MAX)
        return 0;
    return strength(a, woken, herd_rate, herd_share);
}

/* Woken by whatever; each of them is known to have done nothing. */
static double by_any(const struct facts *a)
{
    return strength(a, &a->s->woken_for_nothing, herd_any_rate, herd_any_share);
}

static const struct summary_sites *chosen(const struct facts *a)
{
    return by_any(a) > by_broadcast(a) ? &a->s->woken_for_nothing : &a->s->woken_together;
}

static double thundering_herd(const struct facts *a, struct finding *f)
{
    const struct summary_sites *woken = chosen(a);

    rule_tell(f, "woken_per_s", rule_rate(a, (double)woken->count));
    rule_tell(f, "turns_share", share_of_turns(a, woken));
    if (woken == &a->s->woken_together)
        rule_tell(f, "waits_again_share",
                  rule_least(rule_share(waits_on_cond(a), (double)woken->count), 1));
    rule_tell(f, "runnable_max", (double)a->s->scheduler.runnable_max);
    rule_tell(f, "turn_mean_ns", rule_share(a->user, rule_turns(a)));
    f->lost = (double)woken->total;
    rule_point_at(f, woken, STACK_ALL);
    return rule_most(by_broadcast(a), by_any(a));
}

static double herd_events(const struct facts *a)
{
    return (double)chosen(a)->count;
}

const struct rule rule_herd = {
    .score = thundering_herd,
    .events = herd_events,
    .least = 1000,
    .next =
        "Most of those that are woken here together find nothing and wait again: wake one of them "
        "(Signal instead of Broadcast, a send instead of a close), or let them share the work.",
};
