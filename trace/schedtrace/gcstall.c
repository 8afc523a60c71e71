/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "trace/schedtrace/rules.h"

/* The longest pause of one cycle, in milliseconds: Go's own are far below one. A goroutine that is
 * not preempted in 10 ms keeps all others waiting. */
static const struct pattern_scale pause_ms = {10, 100};

/* The share of time in pauses. */
static const struct pattern_scale paused_share = {0.02, 0.1};

/* The share of all CPU time that goroutines spend on marking before they may allocate. The
 * collector's own workers take a quarter; who allocates faster must assist. */
static const struct pattern_scale assist_share = {0.1, 0.3};

/* In a shorter time shares say nothing, milliseconds. */
#define SHARES_FROM 1000

/* With details: the share of snapshots in which the world is stopped, or in which as many goroutines
 * as there are Ps assist or wait to. */
static const struct pattern_scale stopped_share = {0.1, 0.4};
static const struct pattern_scale assisting_share = {0.3, 0.7};
#define LEAST 2 /* snapshots of these */

struct stall {
    struct process_gcs gcs;
    double window, procs; /* milliseconds */
    size_t stopped, assisting;
    bool details;
};

static bool many_assist(const struct snapshot *s)
{
    return s->gs.assisting > 0 && s->gs.assisting >= s->head.procs;
}

static struct stall count(const struct process *p)
{
    struct stall s = {.window = (p->last_cycle_at - p->first_cycle_at) * 1e3, .procs = 1};

    process_gcs(p, &s.gcs);
    if (p->n == 0)
        return s;
    if (p->n > 1)
        s.window = (double)process_window(p);
    s.procs = p->list[p->n - 1]->head.procs;
    s.details = process_detailed(p);
    for (size_t i = 0; i < p->n; i++) {
        s.stopped += p->list[i]->head.gcwaiting;
        s.assisting += many_assist(p->list[i]);
    }
    return s;
}

static double most(const double *scores, size_t n)
{
    double best = 0;

    for (size_t i = 0; i < n; i++)
        if (scores[i] > best)
            best = scores[i];
    return best;
}

static double by_snapshots(const struct process *p, const struct stall *s)
{
    double n = (double)p->n;
    const double scores[] = {
        s->stopped < LEAST ? 0 : pattern_scaled((double)s->stopped / n, stopped_share),
        s->assisting < LEAST ? 0 : pattern_scaled((double)s->assisting / n, assisting_share),
    };

    return most(scores, 2);
}

/* The line of a cycle, where the process keeps it: what is proved outlasts this call. */
static void prove_by_cycle(const struct process *p, uint64_t line, struct pattern *ret)
{
    for (size_t i = 0; i <= p->n; i++) {
        const struct process_gcs *gcs = i < p->n ? p->list[i]->gcs : &p->pending;

        if (!gcs || gcs->cycles == 0)
            continue;
        if (gcs->longest.line == line || gcs->assisted.line == line) {
            pattern_prove(ret, line,
                          gcs->longest.line == line ? gcs->longest.text : gcs->assisted.text);
            return;
        }
    }
}

static void prove(const struct process *p, const struct process_gcs *gcs, struct pattern *ret)
{
    if (gcs->cycles > 0)
        prove_by_cycle(p, gcs->longest.line, ret);
    if (gcs->assisted.line != gcs->longest.line)
        prove_by_cycle(p, gcs->assisted.line, ret);
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i]->head.gcwaiting || many_assist(p->list[i]))
            pattern_prove_by(ret, p->list[i]);
}

static void say(const struct stall *s, double paused, double assists, struct pattern *ret)
{
    if (s->gcs.cycles > 0)
        (void)snprintf(
            ret->says, sizeof(ret->says),
            "%ju cycles: the longest pause %.3g ms, %.1f%% of the time paused, %.1f%% of all "
            "CPU time assists",
            (uintmax_t)s->gcs.cycles, s->gcs.pause_max, paused * 100, assists * 100);
    else
        (void)snprintf(
            ret->says, sizeof(ret->says),
            "no cycle is printed; %zu snapshots are of a stopped world, %zu of many assists",
            s->stopped, s->assisting);
}

static void look(const struct process *p, struct pattern *ret)
{
    struct stall s = count(p);
    double paused = pattern_share(s.gcs.pause_total, s.window);
    double assists = pattern_share(s.gcs.assist_total, s.window * s.procs);
    bool shares = s.window >= SHARES_FROM;
    const double scores[] = {
        pattern_scaled(s.gcs.pause_max, pause_ms),
        shares ? pattern_scaled(paused, paused_share) : 0,
        shares ? pattern_scaled(assists, assist_share) : 0,
        p->n > 0 ? by_snapshots(p, &s) : 0,
    };

    pattern_tell(ret, "cycles", (double)s.gcs.cycles);
    pattern_tell(ret, "pause_max_ms", s.gcs.pause_max);
    pattern_tell(ret, "paused_share", paused);
    pattern_tell(ret, "assist_share", assists);
    if (s.details) {
        pattern_tell(ret, "stopped_snapshots", (double)s.stopped);
        pattern_tell(ret, "assisting_snapshots", (double)s.assisting);
    }
    if (!p->any_gc)
        ret->lacking = "pauses and assists: gctrace=1";
    ret->score = most(scores, 4);
    prove(p, &s.gcs, ret);
    say(&s, paused, assists, ret);
}

const struct pattern_rule gcstall_rule = {
    .code = "gc-stall",
    .what = "the collector keeps goroutines waiting",
    .look = look,
    .limits =
        "A pause has the time in which the world was being stopped in it: whom it waited for, "
        "no line tells. What a host took from the process is in it, too.",
    .next = "Allocate less, or raise GOGC or GOMEMLIMIT. For a long pause, look for loops that "
            "cannot be preempted; a trace shows whom the collector waited for.",
};
