/* SPDX-License-Identifier: Apache-2.0 */

/* Passes an event to those parts of the summary that it is of interest to. */

#include <errno.h>

#include "trace/reader/specs.h"
#include "trace/summary/accumulator.h"

static int note_thread(struct accumulator *s, int64_t m)
{
    int64_t *cached = &s->thread_cache[(uint64_t)m % 64];
    int r;

    s->thread = m;
    /* The cache holds the number plus 1, so that zero means none. */
    if (accumulator_knows_thread(s, m) || m == GOTRACE_NONE)
        return 0;
    *cached = (int64_t)((uint64_t)m + 1);
    if (s->threads.n == ACCUMULATOR_MAX_THREADS)
        return 0;
    r = idmap_add(&s->threads, (uint64_t)m, 0);
    return r == -EEXIST || r == -E2BIG ? 0 : r;
}

static void note_clock(struct accumulator *s, const struct gotrace_generation *gen)
{
    bool sane = gen->clock_sec > 0 && gen->clock_sec < INT32_MAX * (int64_t)4 &&
                accumulator_in_span(s->first, gen->clock_trace);

    if (s->out->wall_start == 0 && gen->has_clock && sane)
        s->out->wall_start =
            gen->clock_sec * 1000000000 + gen->clock_nsec - (gen->clock_trace - s->first);
}

/* A generation begins, or the trace ends. Handles of strings and stacks have new meanings from now
 * on. */
static int sync_event(struct accumulator *s, const struct gotrace_event *e)
{
    struct gotrace_generation gen;
    int r;

    silences_phase(&s->silences, e->time, &s->out->silences);
    s->n_sync = e->args[0];
    if (e->args[1] == 0 || gotrace_generation(s->trace, &gen) < 0)
        return 0;
    s->sync = e->time;
    s->out->generations++;
    if (s->out->generations == 2)
        s->threads_in_first = s->threads.n;
    note_clock(s, &gen);
    texts_generation(&s->texts, gen.n_strings);
    handles_generation(&s->reason_of, gen.n_strings);
    types_generation(&s->stw_types, gen.n_strings);
    types_generation(&s->task_types, gen.n_strings);
    types_generation(&s->region_types, gen.n_strings);
    handles_generation(&s->id_kinds, gen.n_strings);
    r = sites_generation(&s->sites, gen.n_stacks, gen.n_frames);
    accumulator_turns_generation(s);
    return r < 0 ? r : accumulator_gc_sync(s);
}

static int sample(struct accumulator *s, const struct gotrace_event *e)
{
    uint32_t stack;
    int r = sites_of(&s->sites, s->trace, e->stack, &stack);

    if (r == 0)
        sites_add(&s->sites, stack, SUMMARY_CPU, 0);
    return r;
}

static int by_kind(struct accumulator *s, const struct gotrace_event *e)
{
    switch (e->kind) {
    case GOTRACE_GO_STATE: return accumulator_go_event(s, e);
    case GOTRACE_PROC_STATE: return accumulator_proc_event(s, e);
    case GOTRACE_SYNC: return sync_event(s, e);
    case GOTRACE_METRIC:
        if (e->type == GOTRACE_EV_PROCS_CHANGE)
            return accumulator_procs_change(s, e);
        accumulator_gc_metric(s, e->type, e->args[0]);
        return 0;
    case GOTRACE_LABEL: return accumulator_gc_label(s, e);
    case GOTRACE_RANGE_BEGIN:
    case GOTRACE_RANGE_ACTIVE:
    case GOTRACE_RANGE_END: return accumulator_gc_range(s, e);
    case GOTRACE_STACK_SAMPLE: return sample(s, e);
    default: return accumulator_user_event(s, e);
    }
}

int accumulator_event(struct accumulator *s, const struct gotrace_event *e)
{
    int r;

    s->out->events.by_type[e->type]++;
    r = by_kind(s, e);
    if (e->m != s->thread && r == 0)
        r = note_thread(s, e->m);
    return r;
}
