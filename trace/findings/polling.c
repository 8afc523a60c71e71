/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* How often a second goroutines call runtime.Gosched, for each P; the share of all turns that end
 * so; and the share of the Ps' time that goes into these turns and into the search for the next. */
static const struct scale polling_rate = {1e4, 5e4};
static const struct scale polling_share = {0.5, 0.8};
static const struct scale polling_time = {0.2, 0.4};

/* Who computes for longer than this in between does more than ask, in nanoseconds. */
#define POLLING_TURN_MAX 10000

/* How often a second goroutines wake up by themselves, look and wait again: to wake a thread takes
 * some 5 to 20 microseconds of a CPU. */
static const struct scale polling_vain = {4e3, 2e4};

/* How many processors functions take that never wait, but ask in a loop. */
static const struct scale polling_asking = {0.4, 0.9};
/* Where so many wait for mutexes, a loop around one is contention. */
#define POLLING_LOCK_MAX 0.5

/* The turns that end with a yield, as a share of all. */
static double yield_share(const struct facts *a)
{
    return rule_least(rule_share((double)a->s->scheduler.yields, rule_turns(a)), 1);
}

static double taken_by_yields(const struct facts *a)
{
    return yield_share(a) * (a->user + rule_searching(a));
}

static double by_yields(const struct facts *a)
{
    double rate = rule_share(rule_rate(a, (double)a->s->scheduler.yields), a->procs);
    double score =
        rule_least(rule_scaled(rate, polling_rate), rule_scaled(yield_share(a), polling_share));

    if (rule_share(a->user, rule_turns(a)) > POLLING_TURN_MAX)
        return 0;
    return rule_least(score,
                      rule_scaled(rule_share(taken_by_yields(a), a->available), polling_time));
}

static double by_vain(const struct facts *a)
{
    return rule_scaled(rule_rate(a, (double)a->s->vain.count), polling_vain);
}

static double by_asking(const struct facts *a)
{
    if (a->lock / a->window >= POLLING_LOCK_MAX)
        return 0;
    return rule_scaled((double)a->s->asking.total / a->window, polling_asking);
}

static void tell_yields(const struct facts *a, struct finding *f)
{
    rule_tell(f, "yields_per_s", rule_rate(a, (double)a->s->scheduler.yields));
    rule_tell(f, "turns_share", yield_share(a));
    rule_tell(f, "polling_share", rule_share(taken_by_yields(a), a->available));
    rule_tell(f, "turn_mean_ns", rule_share(a->user, rule_turns(a)));
    f->lost = taken_by_yields(a);
    rule_point_at(f, &a->s->yields, STACK_ALL);
}

static void tell_vain(const struct facts *a, struct finding *f)
{
    rule_tell(f, "vain_per_s", rule_rate(a, (double)a->s->vain.count));
    rule_tell(f, "turn_mean_ns", rule_share((double)a->s->vain.total, (double)a->s->vain.count));
    f->lost = rule_least(rule_share((double)a->s->vain.count, rule_turns(a)), 1) *
              (a->user + rule_searching(a));
    rule_point_at(f, &a->s->vain, STACK_ALL);
}

static void tell_asking(const struct facts *a, struct finding *f)
{
    rule_tell(f, "asking_cpus", (double)a->s->asking.total / a->window);
    f->lost = (double)a->s->asking.total;
    rule_point_at(f, &a->s->asking, STACK_ALL);
}

static double busy_polling(const struct facts *a, struct finding *f)
{
    double yields = by_yields(a), vain = by_vain(a), asking = by_asking(a);

    if (asking > rule_most(yields, vain))
        tell_asking(a, f);
    else if (vain > yields)
        tell_vain(a, f);
    else
        tell_yields(a, f);
    return rule_most(yields, rule_most(vain, asking));
}

#define POLLING_EVENTS 1000

/* Those that the runtime interrupts are counted already. */
static double polling_events(const struct facts *a)
{
    if (by_asking(a) >= 0.5)
        return POLLING_EVENTS;
    return rule_most((double)a->s->scheduler.yields, (double)a->s->vain.count);
}

const struct rule rule_polling = {
    .score = busy_polling,
    .events = polling_events,
    .least = POLLING_EVENTS,
    .next =
        "These goroutines ask again and again whether there is something to do, and keep Ps busy "
        "with it: let them wait for a channel, a condition or a semaphore.",
};
