/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Procs: how long each ran, for how long all were at work, and for how long some were not although
 * goroutines waited to run. In the first generation a proc may be told late. Its own times are
 * corrected then; the numbers about several procs at once count it as idle until then.
 */

#include <string.h>

#include "trace/summary/accumulator.h"

static void run(struct accumulator *s, struct accumulator_proc *p, int64_t since)
{
    p->state = GOTRACE_PROC_RUNNING;
    p->since = since;
    s->procs_running++;
    accumulator_set_procs(s);
}

/* The proc stops. A goroutine that held it in a syscall loses it. */
static void stop(struct accumulator *s, struct accumulator_proc *p, int64_t time)
{
    p->state = GOTRACE_PROC_IDLE;
    p->sums.running += time - p->since;
    s->procs_running--;
    accumulator_set_procs(s);
    if (p->go && p->go->state == GOTRACE_GO_SYSCALL)
        accumulator_go_lose_proc(s, p->go, time);
}

int accumulator_proc_event(struct accumulator *s, const struct gotrace_event *e)
{
    struct accumulator_proc *p;
    bool was;

    if (e->from == e->to && e->type != GOTRACE_EV_PROC_STEAL)
        return 0;
    p = e->args[0] < ACCUMULATOR_MAX_PROCS ? accumulator_proc_find(s, (int32_t)e->args[0]) : NULL;
    if (!p) {
        s->out->procs.other++;
        return 0;
    }
    accumulator_advance(s, e->time);
    p->known = true;
    was = p->state == GOTRACE_PROC_RUNNING;
    if (e->type == GOTRACE_EV_PROC_STEAL && e->args[1] != 0) {
        s->out->procs.steals++;
        p->sums.steals++;
    }
    if (e->to == GOTRACE_PROC_RUNNING && !was)
        run(s, p, e->from == GOTRACE_PROC_UNDETERMINED ? s->sync : e->time);
    else if (e->to != GOTRACE_PROC_RUNNING && was)
        stop(s, p, e->time);
    return 0;
}

int accumulator_procs_change(struct accumulator *s, const struct gotrace_event *e)
{
    int64_t n = e->args[0] > ACCUMULATOR_MOST_PROCS ? ACCUMULATOR_MOST_PROCS : (int64_t)e->args[0];
    struct summary_procs *out = &s->out->procs;

    accumulator_advance(s, e->time);
    if (out->max == 0) {
        out->min = out->max = n;
        /* the first event tells the value since the trace's start */
        out->available = n * (e->time - s->first);
    } else if (n != s->procs) {
        out->changes++;
    }
    if (n < out->min)
        out->min = n;
    if (n > out->max)
        out->max = n;
    out->available += s->procs * (e->time - s->procs_since);
    out->last = n;
    s->procs_since = e->time;
    s->procs = n;
    accumulator_set_procs(s);
    return accumulator_gc_procs(s, e);
}

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static int list(struct accumulator *s)
{
    struct summary_procs *out = &s->out->procs;
    size_t n = 0;
    int r = arena_new(&s->texts.arena, s->n_ps * sizeof(*out->list), &out->list);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < s->n_ps; i++) {
        struct accumulator_proc *p = &s->ps[i];

        if (!p->known)
            continue;
        if (p->state == GOTRACE_PROC_RUNNING)
            p->sums.running += s->last - p->since;
        p->sums.p = (int32_t)i;
        out->running += p->sums.running;
        out->executing += p->sums.executing;
        out->in_syscall += p->sums.in_syscall;
        out->list[n++] = p->sums;
    }
    out->n = n;
    return 0;
}

static void list_times(const struct accumulator *s)
{
    struct summary_scheduler *out = &s->out->scheduler;

    for (unsigned so = 0; so < ACCUMULATOR_N_SO; so++) {
        int64_t time = s->time_so[so];

        s->out->procs.all_busy += so & ACCUMULATOR_ALL_BUSY ? time : 0;
        s->out->procs.queued += so & ACCUMULATOR_QUEUED ? time : 0;
        if (!(so & ACCUMULATOR_LATE))
            continue;
        out->overdue += time;
        out->overdue_with_idle += so & ACCUMULATOR_WITH_IDLE ? time : 0;
        out->overdue_with_free += so & ACCUMULATOR_WITH_FREE ? time : 0;
    }
    out->overdue_lost = s->lost;
    out->overdue_idle_lost = s->idle_lost;
}

int accumulator_proc_finish(struct accumulator *s)
{
    struct summary_procs *out = &s->out->procs;
    int r = list(s);

    accumulator_advance(s, s->last);
    accumulator_fold(s);
    list_times(s);
    out->available += s->procs * (s->last - s->procs_since);
    out->mean = share(out->available, s->last - s->first);
    out->running_share = share(out->running, out->available);
    out->executing_share = share(out->executing, out->available);
    out->idle_share = out->running_share < 1 ? 1 - out->running_share : 0;
    return r;
}
