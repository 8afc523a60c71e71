/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* How often a second goroutines call runtime.Gosched, for each P; the share of all turns that end
 * so; and the share of the Ps' time that goes into these turns and into the search for the next. */
static const struct scale polling_rate = {1e4, 5e4};
static const struct scale polling_share = {0.5, 0.8};
static const struct scale polling_time = {0.2, 0.4};

/* Who computes for longer than this in between does more than ask, in nanoseconds. */
#define POLLING_TURN_MAX 10000

static double busy_polling(const struct facts *a, struct finding *f)
{
    double yields = (double)a->s->scheduler.yields, turns = rule_turns(a);
    double rate = rule_share(rule_rate(a, yields), a->procs);
    double part = rule_least(rule_share(yields, turns), 1);
    double turn = rule_share(a->user, turns);
    double taken = part * (a->user + rule_searching(a));
    double busy = rule_share(taken, a->available);
    double score = rule_least(rule_scaled(rate, polling_rate), rule_scaled(part, polling_share));

    rule_tell(f, "yields_per_s", rule_rate(a, yields));
    rule_tell(f, "turns_share", part);
    rule_tell(f, "polling_share", busy);
    rule_tell(f, "turn_mean_ns", turn);
    f->lost = taken;
    rule_point_at(f, &a->s->yields, STACK_ALL);
    return turn <= POLLING_TURN_MAX ? rule_least(score, rule_scaled(busy, polling_time)) : 0;
}

static double polling_events(const struct facts *a)
{
    return (double)a->s->scheduler.yields;
}

const struct rule rule_polling = {
    .score = busy_polling,
    .events = polling_events,
    .least = 1000,
    .next =
        "These goroutines ask again and again whether there is something to do, and keep Ps busy "
        "with it: let them wait for a channel, a condition or a semaphore.",
};
