/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "trace/findings/rule.h"

/* How often a second goroutines are woken by sync.Cond.Broadcast, and their share of all turns. */
static const struct scale herd_rate = {2e3, 1e4};
static const struct scale herd_share = {0.3, 0.6};

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

static double thundering_herd(const struct facts *a, struct finding *f)
{
    double woken = (double)a->s->woken_together.count, turns = rule_turns(a);
    double part = rule_least(rule_share(woken, turns), 1);
    double again = rule_least(rule_share(waits_on_cond(a), woken), 1);
    double at_once = (double)a->s->scheduler.runnable_max;
    double turn = rule_share(a->user, turns);
    double score =
        rule_least(rule_scaled(rule_rate(a, woken), herd_rate), rule_scaled(part, herd_share));

    rule_tell(f, "woken_per_s", rule_rate(a, woken));
    rule_tell(f, "turns_share", part);
    rule_tell(f, "waits_again_share", again);
    rule_tell(f, "runnable_max", at_once);
    rule_tell(f, "turn_mean_ns", turn);
    f->lost = (double)a->s->woken_together.total;
    rule_point_at(f, &a->s->woken_together, STACK_ALL);
    return again >= HERD_AGAIN && at_once >= HERD_AT_ONCE && turn <= HERD_TURN_MAX ? score : 0;
}

static double herd_events(const struct facts *a)
{
    return (double)a->s->woken_together.count;
}

const struct rule rule_herd = {
    .score = thundering_herd,
    .events = herd_events,
    .least = 1000,
    .next =
        "Most of those that are woken here together find nothing and wait again: if one of them "
        "suffices, call Signal instead of Broadcast, or use a channel.",
};
