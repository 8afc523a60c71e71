/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "trace/schedtrace/rules.h"

/* The share of snapshots in which goroutines are queued although a P is idle. While a thread wakes up
 * that is so for some microseconds, which few snapshots see. */
static const struct pattern_scale idle_share = {0.2, 0.5};

/* How long a turn takes while all Ps are busy and work is queued, on the P that has most of them.
 * After 10 ms a goroutine is told to make room, of which sysmon thinks every 10 ms at the latest. */
static const struct pattern_scale turn_ms = {60, 240};
#define TURN_PAIRS 3 /* of snapshots; fewer are chance */

/* The share of time by which snapshots came late. Sysmon prints them; it needs no P, but a CPU. */
static const struct pattern_scale late_share = {0.15, 0.5};
#define LATE_MS 100 /* less is sysmon's own sleep, and the time to print */
#define LEAST 3     /* snapshots with any of these signs */

struct starved {
    size_t idle; /* snapshots with an idle P and a queue */
    uint64_t busy_ms, turns;
    size_t pairs;
    uint64_t late_ms, latest;
    size_t late;
    uint32_t threads;
};

/* What is between two snapshots; of one that a panic printed that tells nothing. */
static bool gap_between(const struct snapshot *a, const struct snapshot *b, uint64_t *ret)
{
    *ret = b->ms - a->ms;
    return a->head.detailed == b->head.detailed;
}

static uint64_t nominal(const struct process *p)
{
    uint64_t least = UINT64_MAX, gap;

    for (size_t i = 1; i < p->n; i++)
        if (gap_between(p->list[i - 1], p->list[i], &gap) && gap < least)
            least = gap;
    return least;
}

static bool all_busy(const struct snapshot *s)
{
    return s->head.idle == 0 && !s->head.gcwaiting && snapshot_queued(s) >= s->head.procs;
}

static bool has_ticks(const struct snapshot *s)
{
    return s->head.ticks || s->head.detailed;
}

/* The turns of the P that had most of them between two snapshots. */
static void count_turns(const struct snapshot *a, const struct snapshot *b, struct starved *s)
{
    uint32_t most = 0;

    if (!has_ticks(a) || !has_ticks(b) || a->head.n != b->head.n || !all_busy(a) || !all_busy(b))
        return;
    for (uint32_t i = 0; i < a->head.n; i++)
        if (b->ps[i].tick - a->ps[i].tick > most)
            most = b->ps[i].tick - a->ps[i].tick;
    s->pairs++;
    s->busy_ms += b->ms - a->ms;
    s->turns += most;
}

static uint64_t late_by(const struct snapshot *a, const struct snapshot *b, uint64_t interval)
{
    uint64_t gap;

    return gap_between(a, b, &gap) && gap - interval > LATE_MS ? gap - interval : 0;
}

static void count_late(const struct snapshot *a, const struct snapshot *b, uint64_t interval,
                       struct starved *s)
{
    uint64_t late = late_by(a, b, interval);

    s->late += late > 0;
    s->late_ms += late;
    if (late > s->latest)
        s->latest = late;
}

static struct starved count(const struct process *p)
{
    uint64_t interval = nominal(p);
    struct starved s = {0};

    for (size_t i = 1; i < p->n; i++) { /* the first one is of the start */
        const struct snapshot *at = p->list[i];

        s.idle += at->head.idle > 0 && snapshot_queued(at) > 0;
        if (at->head.threads > s.threads)
            s.threads = at->head.threads;
        count_turns(p->list[i - 1], at, &s);
        count_late(p->list[i - 1], at, interval, &s);
    }
    return s;
}

static void prove(const struct process *p, bool idle, bool late, struct pattern *ret)
{
    uint64_t interval = nominal(p);

    for (size_t i = 1; i < p->n; i++) {
        const struct snapshot *at = p->list[i], *before = p->list[i - 1];

        if (idle && at->head.idle > 0 && snapshot_queued(at) > 0)
            pattern_prove_by(ret, at);
        if (late && late_by(before, at, interval) > 0) {
            if (ret->n_proofs == 0 || ret->proofs[ret->n_proofs - 1].line != before->line)
                pattern_prove_by(ret, before);
            pattern_prove_by(ret, at);
        }
        if (!idle && !late && all_busy(at) && all_busy(before))
            pattern_prove_by(ret, at);
    }
}

static double turn_of(const struct starved *s)
{
    return s->pairs < TURN_PAIRS ? 0 : (double)s->busy_ms / (s->turns > 0 ? (double)s->turns : 1);
}

static void look(const struct process *p, struct pattern *ret)
{
    struct starved s = count(p);
    double share = pattern_share((double)s.idle, (double)(p->n - 1));
    double lost = pattern_share((double)s.late_ms, (double)process_window(p));
    double idle = s.idle < LEAST ? 0 : pattern_scaled(share, idle_share);
    double late = s.late < LEAST ? 0 : pattern_scaled(lost, late_share);
    double turn = pattern_scaled(turn_of(&s), turn_ms);

    pattern_tell(ret, "queue_with_idle_p_share", share);
    pattern_tell(ret, "turn_ms", turn_of(&s));
    pattern_tell(ret, "late_share", lost);
    pattern_tell(ret, "late_max_ms", (double)s.latest);
    pattern_tell(ret, "threads_max", s.threads);
    if (!has_ticks(p->list[0]))
        ret->lacking = "how long turns take: Go 1.25, or scheddetail=1";
    ret->score = idle > turn ? idle : turn;
    ret->score = late > ret->score ? late : ret->score;
    prove(p, ret->score > 0 && idle == ret->score, ret->score > 0 && late == ret->score, ret);
    if (idle == ret->score)
        (void)snprintf(ret->says, sizeof(ret->says),
                       "goroutines are queued while a P is idle, in %zu of %zu snapshots", s.idle,
                       p->n - 1);
    else if (late == ret->score)
        (void)snprintf(ret->says, sizeof(ret->says),
                       "snapshots come late, by up to %ju ms: sysmon, which needs no P, had no CPU",
                       (uintmax_t)s.latest);
    else
        (void)snprintf(
            ret->says, sizeof(ret->says),
            "all Ps are busy, work is queued, and a turn takes %.0f ms instead of 10 to 20",
            turn_of(&s));
}

const struct pattern_rule starved_rule = {
    .code = "m-starvation",
    .what = "there is work, but no thread that runs it",
    .look = look,
    .limits = "That a P is idle is true of a moment, not of the time between. Lines that the log "
              "lost look like late ones. Turns are also long where goroutines cannot be preempted.",
    .next = "Look at the host: a CPU quota (cpu.stat: nr_throttled), GOMAXPROCS above the quota, "
            "other processes. A trace tells them apart: contrace capture.",
};
