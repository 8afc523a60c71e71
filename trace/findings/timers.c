/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "trace/findings/rule.h"

/* How often a second goroutines are woken by timers, for each P; their share of all turns; and the
 * share of the Ps' time in which threads have them and run no goroutine, but timers. */
static const struct scale timer_rate = {1e4, 5e4};
static const struct scale timer_share = {0.5, 0.8};
static const struct scale timer_searching = {0.08, 0.2};

/* Whose turns are longer than this does something with them, in nanoseconds. */
#define TIMER_TURN_MAX 20000

static double count_of(const struct facts *a, const char *reason)
{
    const struct summary_goroutines *g = &a->s->goroutines;

    for (size_t i = 0; i < g->n_waits; i++) {
        if (strcmp(g->waits[i].reason, reason) == 0)
            return (double)g->waits[i].count;
    }
    return 0;
}

/* The runtime makes goroutines runnable for two reasons: a timer fired (of a sleep, a channel, or a
 * function that gets a goroutine of its own), or the network is ready. */
static double by_timers(const struct facts *a)
{
    double others = (double)a->s->scheduler.by_runtime - count_of(a, "network");

    return rule_most(others, count_of(a, "sleep"));
}

/* What most of the timers are for. */
static void point(const struct facts *a, struct finding *f, double turns)
{
    if ((double)a->s->timer_funcs.count >= turns / 2)
        rule_point_at(f, &a->s->timer_funcs, STACK_ALL);
    else if (count_of(a, "sleep") >= turns / 2)
        rule_point_at(f, &a->s->sleeps, STACK_ALL);
    else
        rule_point_at(f, &a->s->sites[SUMMARY_SYNC], STACK_ALL & ~STACK_STANDING);
}

static double timer_load(const struct facts *a, struct finding *f)
{
    double turns = by_timers(a);
    double rate = rule_share(rule_rate(a, turns), a->procs);
    double part = rule_least(rule_share(turns, rule_turns(a)), 1);
    double searching = rule_searching(a);
    double busy = rule_share(searching, a->available);
    double turn = rule_share(a->user, rule_turns(a));
    double score = rule_least(rule_scaled(rate, timer_rate), rule_scaled(part, timer_share));

    rule_tell(f, "timers_per_s", rule_rate(a, turns));
    rule_tell(f, "turns_share", part);
    rule_tell(f, "looking_share", busy);
    rule_tell(f, "turn_mean_ns", turn);
    rule_tell(f, "sleeps", count_of(a, "sleep"));
    rule_tell(f, "after_funcs", (double)a->s->timer_funcs.count);
    rule_tell(f, "busy_share", rule_share(a->user, a->available));
    f->lost = searching;
    point(a, f, turns);
    return turn <= TIMER_TURN_MAX ? rule_least(score, rule_scaled(busy, timer_searching)) : 0;
}

static double timer_events(const struct facts *a)
{
    return by_timers(a);
}

const struct rule rule_timers = {
    .score = timer_load,
    .events = timer_events,
    .least = 1000,
    .next =
        "Let one ticker serve many, sleep for longer, or wait for a channel instead of asking again "
        "and again; a time-out that is moved often can be checked when it fires.",
};
