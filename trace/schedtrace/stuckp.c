/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "trace/schedtrace/rules.h"

/* How long one P does the same, in milliseconds. Whoever runs for 10 ms makes room for the next,
 * which is a tick; but where others have the CPUs a thread may wait for one for half a second. */
static const struct pattern_scale stuck_ms = {1000, 4000};
#define SNAPSHOTS_DETAILED 4 /* in a row: the same goroutine is seen to run */
#define SNAPSHOTS 8          /* without details: what is not seen must be unlikely */

enum sign {
    SAME_GOROUTINE, /* details: it runs, and neither ticks nor goroutine change */
    QUEUE_STAYS,    /* its queue is not empty and no tick passes, while others are idle */
    SOME_P_BUSY,    /* no tick passes on more Ps than are idle: one of them is busy with the same */
    SIGNS,
};

struct stretch {
    size_t first, last; /* snapshots */
    uint32_t p;
    enum sign sign;
    double score;
};

static bool has_ticks(const struct snapshot *s)
{
    return s->head.ticks || s->head.detailed;
}

static bool same_tick(const struct snapshot *a, const struct snapshot *b, uint32_t p)
{
    return has_ticks(a) && has_ticks(b) && a->ps[p].tick == b->ps[p].tick;
}

static bool same_goroutine(const struct snapshot *a, const struct snapshot *b, uint32_t p)
{
    const struct process_p *x = &a->ps[p], *y = &b->ps[p];

    return a->head.detailed && b->head.detailed && x->status == SCHEDLINE_P_RUNNING &&
           y->status == SCHEDLINE_P_RUNNING && x->g >= 0 && x->g == y->g && x->tick == y->tick &&
           x->syscalltick == y->syscalltick;
}

/* Without ticks the queue must be the same to a goroutine. */
static bool queue_stays(const struct snapshot *a, const struct snapshot *b, uint32_t p)
{
    if (a->ps[p].queue == 0 || b->ps[p].queue == 0 || a->head.idle == 0 || b->head.idle == 0)
        return false;
    return has_ticks(a) ? same_tick(a, b, p) : a->ps[p].queue == b->ps[p].queue;
}

/* Ps that had no tick between the two. */
static uint32_t count_still(const struct snapshot *a, const struct snapshot *b)
{
    uint32_t still = 0;

    for (uint32_t i = 0; i < a->head.n && i < b->head.n; i++)
        still += same_tick(a, b, i);
    return still;
}

/* With details this is known better. */
static bool some_p_busy(const struct snapshot *a, const struct snapshot *b, uint32_t p,
                        uint32_t still)
{
    return !a->head.detailed && same_tick(a, b, p) && still > a->head.idle && still > b->head.idle;
}

static bool holds(enum sign sign, const struct snapshot *a, const struct snapshot *b, uint32_t p,
                  uint32_t still)
{
    if (a->head.n != b->head.n)
        return false;
    switch (sign) {
    case SAME_GOROUTINE: return same_goroutine(a, b, p);
    case QUEUE_STAYS: return queue_stays(a, b, p);
    default: return some_p_busy(a, b, p, still);
    }
}

static double score(const struct process *process, const struct stretch *s)
{
    bool detailed = s->sign == SAME_GOROUTINE;
    double ms = (double)(process->list[s->last]->ms - process->list[s->first]->ms);
    double value = pattern_scaled(ms, stuck_ms);
    size_t n = s->last - s->first + 1;

    if (n < (detailed ? SNAPSHOTS_DETAILED : SNAPSHOTS) && value >= 0.5)
        value = 0.49;
    return n < 2 ? 0 : value;
}

/* Where the stretches began that go on, of each sign and P. */
struct begun {
    uint32_t at[SIGNS][SCHEDLINE_PS_MAX];
};

/* Goes on with all stretches to snapshot i, and keeps the best. */
static void look_at(const struct process *process, size_t i, struct begun *begun,
                    struct stretch *best)
{
    const struct snapshot *a = process->list[i - 1], *b = process->list[i];
    uint32_t still = count_still(a, b);

    for (uint32_t p = 0; p < b->head.n; p++) {
        for (enum sign sign = SAME_GOROUTINE; sign < SIGNS; sign++) {
            struct stretch s = {.last = i, .p = p, .sign = sign};

            if (!holds(sign, a, b, p, still)) {
                begun->at[sign][p] = (uint32_t)i;
                continue;
            }
            s.first = begun->at[sign][p];
            s.score = score(process, &s);
            if (s.score > best->score)
                *best = s;
        }
    }
}

static void say(const struct process *process, const struct stretch *s, struct pattern *ret)
{
    const struct snapshot *last = process->list[s->last];
    uintmax_t ms = last->ms - process->list[s->first]->ms;
    char *text = ret->says;
    size_t size = sizeof(ret->says), n = s->last - s->first + 1;

    if (s->sign == SAME_GOROUTINE)
        (void)snprintf(
            text, size,
            "P%u runs goroutine %jd for %ju ms, in %zu snapshots, and its schedtick stays "
            "%u",
            s->p, (intmax_t)last->ps[s->p].g, ms, n, last->ps[s->p].tick);
    else if (s->sign == QUEUE_STAYS)
        (void)snprintf(text, size,
                       "P%u keeps a queue for %ju ms, in %zu snapshots, while other Ps are idle",
                       s->p, ms, n);
    else
        (void)snprintf(
            text, size,
            "P%u, or another one whose schedtick does not move, is busy with the same for "
            "%ju ms, in %zu snapshots",
            s->p, ms, n);
}

static void look(const struct process *p, struct pattern *ret)
{
    struct stretch best = {0};
    struct begun begun = {0};

    for (size_t i = 1; i < p->n; i++) {
        /* A P that was not there begins now. */
        for (uint32_t id = p->list[i - 1]->head.n; id < p->list[i]->head.n; id++)
            for (enum sign sign = SAME_GOROUTINE; sign < SIGNS; sign++)
                begun.at[sign][id] = (uint32_t)i;
        look_at(p, i, &begun, &best);
    }
    ret->score = best.score;
    if (!process_detailed(p))
        ret->lacking = "whose goroutine a P runs: scheddetail=1";
    if (best.score <= 0) {
        (void)snprintf(ret->says, sizeof(ret->says), "%s",
                       has_ticks(p->list[p->n - 1])
                           ? "no P stays as it is from one snapshot to the next"
                           : "no queue stays as it is, and there are no schedticks to tell by");
        return;
    }
    pattern_tell(ret, "p", best.p);
    pattern_tell(ret, "stuck_ms", (double)(p->list[best.last]->ms - p->list[best.first]->ms));
    pattern_tell(ret, "stuck_snapshots", (double)(best.last - best.first + 1));
    say(p, &best, ret);
    pattern_prove_by(ret, p->list[best.first]);
    if (best.last > best.first + 1)
        pattern_prove_by(ret, p->list[best.first + 1]);
    pattern_prove_by(ret, p->list[best.last]);
}

const struct pattern_rule stuckp_rule = {
    .code = "stuck-p",
    .what = "one P does not get on",
    .look = look,
    .limits =
        "A thread that has no CPU looks the same. A schedtick also stays while a P runs only "
        "goroutines that another one handed to it directly, so without scheddetail=1 this is a "
        "guess that grows with time.",
    .next = "Have a CPU profile or a trace of it taken: a loop without calls, assembly, or "
            "GODEBUG=asyncpreemptoff=1 keeps a goroutine from being preempted.",
};
