/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The garbage collector: its phases, pauses and helpers, and what it leaves of the Ps to the
 * program.
 *
 * The utilisation is computed twice. First as it really is: a P is the GC's while a mark worker
 * (not an idle one) or a goroutine in mark assist runs on it. Then with the counters of Go's
 * MutatorUtilizationV2, so that the result is the one that `go tool trace` shows. From a mark
 * worker's second run on, MutatorUtilizationV2 counts it twice when it starts, by its start and by
 * its label, but only once when it stops. So sooner or later it counts all Ps as the GC's, and its
 * curve ends there.
 */

#include <string.h>

#include "trace/summary/accumulator.h"

static bool executing(uint8_t state)
{
    return state == GOTRACE_GO_RUNNING || state == GOTRACE_GO_SYSCALL;
}

static double utilisation(int64_t of_gc, int64_t pauses, int64_t procs)
{
    if (pauses > 0)
        of_gc = procs;
    return 1 - (double)of_gc / (double)procs;
}

static int note(struct accumulator *s, int64_t time)
{
    int64_t of_gc = s->gc_procs < s->procs ? s->gc_procs : s->procs;
    int r;

    if (s->go_procs == 0)
        return 0;
    r = mmu_add(&s->mmu, time, utilisation(of_gc, s->n_stw, s->go_procs));
    if (r < 0)
        return r;
    return mmu_add(&s->go_mmu, time, utilisation(s->go_gc_procs, s->go_stw, s->go_procs));
}

/* Adds n to the GC's count on a P, as Go keeps it. */
static void go_count(struct accumulator *s, int32_t number, int32_t n)
{
    struct accumulator_proc *p = number < s->go_procs ? accumulator_proc_find(s, number) : NULL;

    if (!p)
        return;
    s->go_gc_procs -= p->gc > 0;
    p->gc += n;
    s->go_gc_procs += p->gc > 0;
}

/* Adds a goroutine to those that work for the GC on a P, or takes it out. */
static void count(struct accumulator *s, struct accumulator_go *g)
{
    bool is = executing(g->state) && (g->flags & (ACCUMULATOR_WORKER | ACCUMULATOR_ASSIST));

    if (is == !!(g->flags & ACCUMULATOR_OF_GC))
        return;
    s->gc_procs += is ? 1 : -1;
    g->flags ^= ACCUMULATOR_OF_GC;
}

int accumulator_gc_procs(struct accumulator *s, const struct gotrace_event *e)
{
    int64_t n = s->procs;
    int r;

    for (uint32_t i = n < s->n_ps ? (uint32_t)n : s->n_ps; i < s->n_ps; i++) {
        s->go_gc_procs -= s->ps[i].gc > 0;
        s->ps[i].gc = 0;
    }
    s->go_procs = n;
    r = mmu_set_procs(&s->mmu, e->time, n);
    if (r == 0)
        r = mmu_set_procs(&s->go_mmu, e->time, n);
    return r < 0 ? r : note(s, e->time);
}

int accumulator_gc_state(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e)
{
    if (s->go_procs > 0 && (g->flags & (ACCUMULATOR_GO_ASSIST | ACCUMULATOR_GO_WORKER)))
        go_count(s, e->p, executing(e->to) - executing(e->from));
    count(s, g);
    return note(s, e->time);
}

/* A mark worker's kind is told by a label each time it starts. */
int accumulator_gc_label(struct accumulator *s, const struct gotrace_event *e)
{
    struct accumulator_go *g = accumulator_go_find(s, e->g);
    size_t len;
    const char *label = gotrace_string(s->trace, e->string, &len);
    bool idle = len == 9 && memcmp(label, "GC (idle)", 9) == 0;

    if (!g || len < 3 || memcmp(label, "GC ", 3) != 0)
        return 0;
    accumulator_advance(s, e->time);
    s->idle_workers += idle - !!(g->flags & ACCUMULATOR_IDLE_WORKER);
    accumulator_set_procs(s);
    g->flags &= (uint8_t)~(ACCUMULATOR_WORKER | ACCUMULATOR_IDLE_WORKER);
    g->flags |= idle ? ACCUMULATOR_IDLE_WORKER : ACCUMULATOR_WORKER;
    if (!idle && s->go_procs > 0) {
        g->flags |= ACCUMULATOR_GO_WORKER;
        go_count(s, e->p, 1);
    }
    count(s, g);
    return note(s, e->time);
}

static void begin_mark(struct accumulator *s, int64_t since)
{
    if (s->in_mark)
        return;
    s->in_mark = true;
    s->mark_since = since;
    s->out->gc.cycles++;
}

static void end_mark(struct accumulator *s, int64_t time)
{
    int64_t duration = time - s->mark_since;

    if (!s->in_mark)
        return;
    s->in_mark = false;
    s->out->gc.mark += duration;
    if (duration > s->out->gc.mark_max)
        s->out->gc.mark_max = duration;
}

static bool is_of_gc(const struct accumulator *s, uint32_t string)
{
    size_t len;
    const char *text = gotrace_string(s->trace, string, &len);

    return memmem(text, len, "GC", 2) != NULL;
}

static int begin_stw(struct accumulator *s, const struct gotrace_event *e)
{
    int of_gc = is_of_gc(s, e->string), r;

    s->n_stw += of_gc;
    s->go_stw += s->go_procs > 0 ? of_gc : 0;
    accumulator_advance(s, e->time);
    silences_phase(&s->silences, e->time, &s->out->silences);
    s->in_stw = true;
    accumulator_set_procs(s);
    s->stw_since = e->time;
    s->stw_g = e->g;
    r = sites_of(&s->sites, s->trace, e->stack, &s->stw_stack);
    return r < 0 ? r : types_of(&s->stw_types, s->trace, e->string, &s->stw_type);
}

static int end_stw(struct accumulator *s, const struct gotrace_event *e)
{
    int of_gc = is_of_gc(s, e->string), r;

    s->n_stw -= of_gc;
    s->go_stw -= s->go_procs > 0 ? of_gc : 0;
    if (!s->in_stw)
        return 0;
    accumulator_advance(s, e->time);
    s->in_stw = false;
    accumulator_set_procs(s);
    r = accumulator_slow_pause(s, e->string, e->time, false);
    if (r < 0)
        return r;
    r = histogram_add(&s->stw, e->time - s->stw_since);
    return r < 0 ? r : types_add(&s->stw_types, s->stw_type, e->time - s->stw_since);
}

static void begin_assist(struct accumulator *s, struct accumulator_go *g, int64_t since)
{
    if (g->flags & ACCUMULATOR_ASSIST)
        return;
    g->flags |= ACCUMULATOR_ASSIST;
    g->assist_since = since;
    g->assist_stack = SITES_NO_STACK;
    s->out->gc.assists++;
}

void accumulator_gc_end_assist(struct accumulator *s, struct accumulator_go *g, int64_t time)
{
    int64_t duration = time - g->assist_since;

    s->out->gc.assist += duration;
    sites_add(&s->sites, g->assist_stack, SUMMARY_ASSIST, duration);
    if (duration > s->out->gc.assist_max)
        s->out->gc.assist_max = duration;
}

static int assist_begin(struct accumulator *s, const struct gotrace_event *e)
{
    struct accumulator_go *g = accumulator_go_find(s, e->g);

    if (!g)
        return 0;
    begin_assist(s, g, e->time);
    count(s, g);
    if (s->go_procs > 0) {
        go_count(s, e->p, 1);
        g->flags |= ACCUMULATOR_GO_ASSIST;
    }
    return sites_of(&s->sites, s->trace, e->stack, &g->assist_stack);
}

static void assist_end(struct accumulator *s, const struct gotrace_event *e)
{
    struct accumulator_go *g = accumulator_go_find(s, e->g);

    if (!g)
        return;
    if (g->worker != 0)
        accumulator_task_worked(s, g, e->time);
    if (g->flags & ACCUMULATOR_ASSIST) {
        accumulator_gc_end_assist(s, g, e->time);
        if (g->state == GOTRACE_GO_RUNNING)
            s->out->gc.assist_executing +=
                e->time - (g->assist_since > g->since ? g->assist_since : g->since);
    }
    g->flags &= (uint8_t)~ACCUMULATOR_ASSIST;
    g->again = SITES_NO_STACK;
    count(s, g);
    if (s->go_procs > 0) {
        go_count(s, e->p, -1);
        g->flags &= (uint8_t)~ACCUMULATOR_GO_ASSIST;
    }
}

/* A mark assist that began before the trace. In later generations this is no news. */
static void assist_active(struct accumulator *s, const struct gotrace_event *e)
{
    struct accumulator_go *g = accumulator_go_find(s, (int64_t)e->args[0]);
    const struct accumulator_go *teller = accumulator_go_find(s, e->g);

    if (!g || s->n_sync > 1)
        return;
    begin_assist(s, g, s->sync);
    if (g->state == GOTRACE_GO_RUNNING)
        s->out->gc.assist_executing += g->since - s->sync;
    if (executing(g->state))
        mmu_deduct(&s->mmu);
    count(s, g);
    if (s->go_procs == 0)
        return;
    if (teller && executing(teller->go_state))
        mmu_deduct(&s->go_mmu);
    go_count(s, e->p, 1);
    g->flags |= ACCUMULATOR_GO_ASSIST;
}

int accumulator_gc_range(struct accumulator *s, const struct gotrace_event *e)
{
    int r = 0;

    switch (e->type) {
    case GOTRACE_EV_GC_ACTIVE: begin_mark(s, s->sync); return 0;
    case GOTRACE_EV_GC_BEGIN: begin_mark(s, e->time); return 0;
    case GOTRACE_EV_GC_END: end_mark(s, e->time); return 0;
    case GOTRACE_EV_GC_SWEEP_END: accumulator_gc_swept(s, e->args[0], e->args[1]); return 0;
    case GOTRACE_EV_STW_BEGIN: r = begin_stw(s, e); break;
    case GOTRACE_EV_STW_END: r = end_stw(s, e); break;
    case GOTRACE_EV_GC_MARK_ASSIST_BEGIN: r = assist_begin(s, e); break;
    case GOTRACE_EV_GC_MARK_ASSIST_ACTIVE: assist_active(s, e); break;
    case GOTRACE_EV_GC_MARK_ASSIST_END: assist_end(s, e); break;
    default: return 0;
    }
    return r < 0 ? r : note(s, e->time);
}

/* A later generation begins: nothing more will be told about what was before the trace. */
int accumulator_gc_sync(struct accumulator *s)
{
    int r = 0;

    if (s->n_sync > 1 && !s->mmu.released)
        r = mmu_release(&s->mmu);
    if (r == 0 && s->n_sync > 1 && !s->go_mmu.released)
        r = mmu_release(&s->go_mmu);
    return r;
}

static int finish_mmu(struct accumulator *s, struct mmu *m, struct summary_mmu *ret,
                      double *ret_mean)
{
    double least[MMU_WINDOWS];
    int r = mmu_finish(m, s->last, m == &s->go_mmu, least, ret_mean);

    for (size_t i = 0; r == 0 && i < MMU_WINDOWS; i++)
        ret[i] = (struct summary_mmu){m->windows[i], least[i]};
    return r;
}

int accumulator_gc_finish(struct accumulator *s)
{
    struct summary_gc *out = &s->out->gc;
    int64_t running = s->out->goroutines.running;
    int r;

    end_mark(s, s->last);
    out->stw = histogram_times(&s->stw);
    out->assist_share = running > 0 ? (double)out->assist_executing / (double)running : 0;
    r = finish_mmu(s, &s->mmu, out->mmu, &out->mean_utilisation);
    if (r == 0)
        r = finish_mmu(s, &s->go_mmu, out->go_mmu, &out->go_mean_utilisation);
    out->mmu_exact = !s->mmu.inexact && !s->go_mmu.inexact;
    s->out->procs.gc_share = out->mean_utilisation < 0 ? 0 : 1 - out->mean_utilisation;
    return r < 0 ? r : types_rows(&s->stw_types, &s->texts.arena, &out->stw_by_reason);
}
