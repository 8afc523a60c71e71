/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "trace/findings/rule.h"

/* The collector's cost, as a share of all P time. While it marks it takes a quarter by design, so a
 * fifth of the whole window means one cycle after another. Assist: a share of the goroutines'
 * running time. Pauses: a share of the window. */
static const struct scale gc_cost = {0.2, 0.4};
static const struct scale gc_assist = {0.1, 0.3};
static const struct scale gc_pause = {0.05, 0.15};
#define GC_WINDOW 1e9 /* a shorter window must have GC_CYCLES cycles */
#define GC_CYCLES 2
/* Where threads wait for a CPU of the host, pauses and assists last longer by that: so they count only
 * with so many cycles, without the longest of them, and of pauses no more than so many times the
 * median. */
#define GC_SEVERAL_CYCLES 3
#define GC_PAUSE_MEDIANS 3
/* A single cycle that fills a window is one whose workers the host keeps waiting, or a huge heap's:
 * only one cycle after the other is a cost. */
#define GC_COST_CYCLES 2
/* Below this cost assists are no finding: a cycle in a service that does nothing else delays
 * nobody. */
#define GC_COST_MIN 0.05

/* Collections at the program's wish, a second; the share of the window in which one marks, or how many
 * goroutines wait for one to end, on average. */
static const struct scale gc_forced = {5, 20};
static const struct scale gc_forced_mark = {0.3, 0.6};
static const struct scale gc_forced_wait = {0.5, 2};

/* The goroutines that wait for a collection to end, as who calls runtime.GC does. */
static struct summary_wait waiting_for_gc(const struct facts *a)
{
    const struct summary_goroutines *g = &a->s->goroutines;

    for (size_t i = 0; i < g->n_waits; i++) {
        if (strcmp(g->waits[i].reason, "wait until GC ends") == 0)
            return g->waits[i];
    }
    return (struct summary_wait){0};
}

/* Whether the program itself calls for most of the collections. */
static bool is_by_wish(const struct facts *a)
{
    return a->s->forced.count > 0 && waiting_for_gc(a).count * 2 >= a->s->gc.cycles;
}

static double by_wish(const struct facts *a)
{
    double mark = (double)a->s->gc.mark / a->window;
    double waiting = (double)waiting_for_gc(a).total / a->window;

    return rule_least(
        rule_scaled(rule_rate(a, (double)a->s->gc.cycles), gc_forced),
        rule_most(rule_scaled(mark, gc_forced_mark), rule_scaled(waiting, gc_forced_wait)));
}

/* The time of pauses for the collector, as far as it counts. There are other pauses, for example for
 * this trace itself. What the collector waits for one that does not stop is no cost of its own. */
static double gc_pauses(const struct facts *a)
{
    const struct summary *s = a->s;
    double ret = 0, longest = 0, usual = 0;

    for (size_t i = 0; i < s->gc.stw_by_reason.n; i++) {
        const struct summary_row *row = &s->gc.stw_by_reason.list[i];

        if (strstr(row->name, "GC ") == NULL)
            continue;
        ret += (double)row->times.total;
        longest = rule_most(longest, (double)row->times.max);
        usual += (double)row->times.count * (double)s->gc.stw.p50;
    }
    if (rule_held_up_score(a) >= 0.5)
        ret -= (double)s->long_runs.total;
    if (s->gc.cycles < GC_SEVERAL_CYCLES)
        return 0;
    return rule_least(rule_most(ret - longest, 0), GC_PAUSE_MEDIANS * usual);
}

/* How much of the goroutines' running time they assist, as far as it counts. */
static double gc_assists(const struct facts *a, double cost)
{
    if (cost < GC_COST_MIN || a->s->gc.cycles < GC_SEVERAL_CYCLES)
        return 0;
    return rule_share(rule_most(a->assist - (double)a->s->gc.assist_max, 0), a->user);
}

static double gc_pressure(const struct facts *a, struct finding *f)
{
    const struct summary_gc *gc = &a->s->gc;
    double cost = rule_share(a->worker + a->assist, a->available);
    double assist = rule_share(a->assist, a->user);
    double pause = gc_pauses(a) / a->window;
    double score = rule_scaled(pause, gc_pause);
    bool by_itself = is_by_wish(a);

    if (gc->cycles >= GC_COST_CYCLES || a->window < GC_WINDOW)
        score = rule_most(score, rule_scaled(cost, gc_cost));
    score = rule_most(score, rule_scaled(gc_assists(a, cost), gc_assist));
    rule_tell(f, "cost_share", cost);
    rule_tell(f, "assist_share", assist);
    rule_tell(f, "assists", (double)gc->assists);
    rule_tell(f, "assist_max_ns", (double)gc->assist_max);
    rule_tell(f, "pause_share", pause);
    rule_tell(f, "cycles", (double)gc->cycles);
    rule_tell(f, "mark_share", rule_share((double)gc->mark, a->window));
    rule_tell(f, "mutator_10ms_share", gc->mmu[1].utilisation);
    rule_tell(f, "heap_max_bytes", (double)gc->heap_max);
    f->lost = a->worker + a->assist;
    if (by_itself) {
        rule_point_at(f, &a->s->forced, STACK_ALL);
        (void)snprintf(f->remark, sizeof(f->remark), "the program calls for the collections");
        f->next =
            "Take these calls (runtime.GC, debug.FreeOSMemory) out: the collector runs by itself when "
            "the heap has grown. To use less memory set GOGC or GOMEMLIMIT.";
    } else {
        rule_point_at(f, &a->s->sites[SUMMARY_ASSIST], STACK_ALL);
    }
    return by_itself ? rule_most(score, by_wish(a)) : score;
}

/* A cycle takes a quarter of the Ps by design, and one cycle may fill a short window: so there more
 * than one is needed. */
static double gc_events(const struct facts *a)
{
    return a->window < GC_WINDOW ? (double)a->s->gc.cycles : GC_CYCLES;
}

const struct rule rule_gc = {
    .score = gc_pressure,
    .events = gc_events,
    .least = GC_CYCLES,
    .next =
        "Take an allocation profile (/debug/pprof/allocs) and allocate less, or let the heap grow: "
        "raise GOGC or GOMEMLIMIT.",
};
