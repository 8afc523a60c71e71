/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "trace/schedtrace/rules.h"

/* Threads in calls at a time, on average, for each P, and at all: one or two that wait for a file or
 * a signal are in every program. */
static const struct pattern_scale calls_per_p = {4, 16};
static const struct pattern_scale calls = {16, 64};

struct incalls {
    double mean;
    uint32_t most, threads;
    double per_second; /* with details: calls that ended or lost their P */
    bool details;
};

static uint64_t calls_between(const struct snapshot *a, const struct snapshot *b)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < a->head.n && i < b->head.n; i++)
        sum += b->ps[i].syscalltick - a->ps[i].syscalltick;
    return sum;
}

static struct incalls count(const struct process *p)
{
    struct incalls c = {.details = process_detailed(p)};
    uint64_t sum = 0, ticks = 0;

    for (size_t i = 1; i < p->n; i++) {
        uint32_t in = snapshot_in_calls(p->list[i]);

        sum += in;
        if (in > c.most)
            c.most = in;
        if (p->list[i]->head.threads > c.threads)
            c.threads = p->list[i]->head.threads;
        ticks += calls_between(p->list[i - 1], p->list[i]);
    }
    c.mean = pattern_share((double)sum, (double)(p->n - 1));
    c.per_second = pattern_share((double)ticks * 1e3, (double)process_window(p));
    return c;
}

static void prove(const struct process *p, const struct incalls *c, struct pattern *ret)
{
    for (size_t i = 1; i < p->n; i++)
        if (snapshot_in_calls(p->list[i]) >= c->mean && c->mean > 0)
            pattern_prove_by(ret, p->list[i]);
}

static void look(const struct process *p, struct pattern *ret)
{
    struct incalls c = count(p);
    double per_p = c.mean / p->list[p->n - 1]->head.procs;
    double relative = pattern_scaled(per_p, calls_per_p), absolute = pattern_scaled(c.mean, calls);

    pattern_tell(ret, "in_calls_mean", c.mean);
    pattern_tell(ret, "in_calls_max", c.most);
    pattern_tell(ret, "in_calls_per_p", per_p);
    pattern_tell(ret, "threads_max", c.threads);
    if (c.details)
        pattern_tell(ret, "calls_per_s", c.per_second);
    else
        ret->lacking = "goroutines in calls, and how many calls: scheddetail=1";
    ret->score = relative < absolute ? relative : absolute;
    prove(p, &c, ret);
    (void)snprintf(ret->says, sizeof(ret->says),
                   "%.1f threads are in system calls or C on average, %u at most, on %u Ps", c.mean,
                   c.most, p->list[p->n - 1]->head.procs);
}

const struct pattern_rule incalls_rule = {
    .code = "syscall-storm",
    .what = "many threads in system calls at once",
    .look = look,
    .limits =
        "Which calls they are, and whether many short ones or few long ones, no snapshot tells. "
        "Without scheddetail=1 the number is what is left of all threads: those that wait for "
        "their locked goroutine are in it.",
    .next =
        "See which calls: 'contrace summary' of a trace names them, with their times. Bound how "
        "many goroutines enter them at once.",
};
