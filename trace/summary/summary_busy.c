/* SPDX-License-Identifier: Apache-2.0 */

/* How long which number of Ps was busy, and what else was so meanwhile. */

#include <string.h>

#include "trace/summary/accumulator.h"

struct accumulator_proc *accumulator_proc_find(struct accumulator *s, int32_t p)
{
    if (p < 0 || p >= ACCUMULATOR_MAX_PROCS)
        return NULL;
    if ((uint32_t)p >= s->n_ps) {
        size_t old = s->ps_cap;

        if (memory_grow(&s->mem, &s->ps, &s->ps_cap, (size_t)p + 1, sizeof(*s->ps)) < 0)
            return NULL;
        memset(s->ps + old, 0, (s->ps_cap - old) * sizeof(*s->ps));
        s->n_ps = (uint32_t)p + 1;
    }
    return &s->ps[p];
}

/* Adds a time to the sums in which so many Ps were busy and everything else was as it is now. */
static void spend(struct accumulator *s, int64_t busy, bool runnable, int64_t time)
{
    int64_t late = (int64_t)s->n_overdue, free = s->room - busy, lost = free < late ? free : late;
    int64_t idle = s->idle < late ? s->idle : late;
    unsigned so = busy >= s->all_procs ? ACCUMULATOR_ALL_BUSY : 0;

    if (runnable && busy >= s->queues_from)
        so |= ACCUMULATOR_QUEUED;
    if (late > 0)
        so |= ACCUMULATOR_LATE | s->with_idle;
    if (lost > 0) {
        so |= ACCUMULATOR_WITH_FREE;
        s->lost += time * lost;
    }
    s->idle_lost += time * idle;
    s->time_so[so] += time;
}

void accumulator_pass_wide(struct accumulator *s, int64_t time)
{
    spend(s, s->procs_busy, s->n_runnable != 0, time - s->at);
    s->at = time;
}

void accumulator_fold(struct accumulator *s)
{
    for (; s->cells_used != 0; s->cells_used &= s->cells_used - 1) {
        int busy = __builtin_ctzll(s->cells_used);

        for (int runnable = 0; runnable < 2; runnable++) {
            int64_t time = s->cells[busy][runnable];

            if (time > 0)
                spend(s, busy, runnable, time);
            s->cells[busy][runnable] = 0;
        }
    }
}

void accumulator_advance_slow(struct accumulator *s, int64_t time)
{
    for (; s->due->since <= time - SUMMARY_OVERDUE; s->due = s->due->next) {
        accumulator_pass(s, s->due->since + SUMMARY_OVERDUE);
        accumulator_set_overdue(s, s->n_overdue + 1);
        s->due->flags |= ACCUMULATOR_OVERDUE;
        s->out->scheduler.overdue_count++;
    }
}

void accumulator_silence(struct accumulator *s, int64_t time)
{
    struct silence one = {.from = s->last, .to = time, .stopped = s->in_stw};
    int64_t on_procs = 0;

    for (uint32_t i = 0; i < s->n_ps; i++) {
        const struct accumulator_go *g = s->ps[i].go;

        if (!g || g->state != GOTRACE_GO_RUNNING)
            continue;
        on_procs++;
        /* Who assists the collector may wait for the one whose stack it is to scan. */
        if (!(g->flags & (ACCUMULATOR_WORKER | ACCUMULATOR_IDLE_WORKER | ACCUMULATOR_ASSIST)))
            one.running++;
    }
    one.runnable = (int64_t)s->n_runnable;
    one.free = s->procs - on_procs;
    one.queued = s->n_runnable > 0 && s->procs_busy >= s->queues_from;
    s->before_silence.silences = s->silences;
    s->before_silence.sums = s->out->silences;
    silences_add(&s->silences, &one, &s->out->silences);
}

void accumulator_no_silence(struct accumulator *s)
{
    if (s->silences.last_to <= s->last)
        return;
    s->silences = s->before_silence.silences;
    s->out->silences = s->before_silence.sums;
}

void accumulator_set_procs(struct accumulator *s)
{
    bool may_run = s->procs > 0 && !s->in_stw;

    accumulator_fold(s);
    s->all_procs = s->procs > 0 ? s->procs : INT64_MAX;
    s->queues_from = may_run ? s->procs + s->idle_workers : INT64_MAX;
    s->room = may_run ? s->procs + s->idle_workers : 0;
    s->idle = may_run && s->procs_running < s->procs ? s->procs - s->procs_running : 0;
    s->with_idle = s->procs_running < s->procs ? ACCUMULATOR_WITH_IDLE : 0;
}
