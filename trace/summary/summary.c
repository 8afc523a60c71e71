/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "trace/reader/reader.h"
#include "trace/reader/specs.h"
#include "trace/summary/summing.h"

static const int64_t windows[MMU_WINDOWS] = {1000000, 10000000, 100000000};

/*
 * Sums over all goroutines must not overflow: a trace is refused from where its times span more
 * than 4.8 hours, or lie where no clock that counts from a machine's start will ever come.
 */
static bool in_span(int64_t first, int64_t time)
{
    return first > -SUMMING_MAX_TIME && first < SUMMING_MAX_TIME && time >= first &&
           time - first < SUMMING_MAX_SPAN;
}

static void release(struct summing *s)
{
    summing_turns_done(s);
    summing_go_done(s);
    summing_user_done(s);
    types_done(&s->stw_types);
    histogram_done(&s->latency);
    histogram_done(&s->syscalls);
    histogram_done(&s->stw);
    mmu_done(&s->mmu);
    mmu_done(&s->go_mmu);
    sites_done(&s->sites);
    texts_done(&s->texts);
    idmap_done(&s->threads);
    memory_free(&s->mem, s->ps, s->ps_cap * sizeof(*s->ps));
    free(s);
}

static int prepare(struct summing *s)
{
    int r;

    s->mem.max = SUMMING_MAX_MEMORY;
    s->due = s->runnable.next = s->runnable.prev = &s->runnable;
    s->runnable.since = INT64_MAX;
    summing_set_procs(s);
    if (getrandom(&s->seed, sizeof(s->seed), GRND_NONBLOCK) != sizeof(s->seed))
        s->seed = (uintptr_t)s * 0x9e3779b97f4a7c15U;
    idmap_init(&s->go_ids, &s->mem, s->seed);
    idmap_init(&s->threads, &s->mem, s->seed);
    histogram_init(&s->latency, &s->mem, SUMMING_KEPT_LATENCIES);
    histogram_init(&s->syscalls, &s->mem, SUMMING_KEPT_SYSCALLS);
    histogram_init(&s->stw, &s->mem, SUMMING_KEPT_PAUSES);
    types_init(&s->stw_types, &s->mem, s->seed);
    types_init(&s->task_types, &s->mem, s->seed);
    types_init(&s->region_types, &s->mem, s->seed);
    mmu_init(&s->mmu, &s->mem, windows);
    mmu_init(&s->go_mmu, &s->mem, windows);
    r = texts_init(&s->texts, &s->mem, s->seed);
    return r < 0 ? r : sites_init(&s->sites, &s->texts, &s->mem, s->seed);
}

static int note_thread(struct summing *s, int64_t m)
{
    int64_t *cached = &s->thread_cache[(uint64_t)m % 64];
    int r;

    s->thread = m;
    /* What is cached is the number plus 1, so that zero is none. */
    if (summing_knows_thread(s, m) || m == GOTRACE_NONE)
        return 0;
    *cached = (int64_t)((uint64_t)m + 1);
    if (s->threads.n == SUMMING_MAX_THREADS)
        return 0;
    r = idmap_add(&s->threads, (uint64_t)m, 0);
    return r == -EEXIST ? 0 : r;
}

static void note_clock(struct summing *s, const struct gotrace_generation *gen)
{
    bool sane = gen->clock_sec > 0 && gen->clock_sec < INT32_MAX * (int64_t)4 &&
                in_span(s->first, gen->clock_trace);

    if (s->out->wall_start == 0 && gen->has_clock && sane)
        s->out->wall_start =
            gen->clock_sec * 1000000000 + gen->clock_nsec - (gen->clock_trace - s->first);
}

/* A generation begins, or the trace ends. Handles of strings and stacks are others from now on. */
static int sync_event(struct summing *s, const struct gotrace_event *e)
{
    struct gotrace_generation gen;
    int r;

    s->n_sync = e->args[0];
    if (e->args[1] == 0 || gotrace_generation(s->trace, &gen) < 0)
        return 0;
    s->sync = e->time;
    s->out->generations++;
    if (s->out->generations == 2)
        s->threads_in_first = s->threads.n;
    note_clock(s, &gen);
    r = texts_generation(&s->texts, gen.n_strings);
    if (r == 0)
        r = summing_go_generation(s, gen.n_strings);
    if (r == 0)
        r = sites_generation(&s->sites, gen.n_stacks);
    types_generation(&s->stw_types);
    types_generation(&s->task_types);
    types_generation(&s->region_types);
    summing_turns_generation(s);
    return r < 0 ? r : summing_gc_sync(s);
}

static int sample(struct summing *s, const struct gotrace_event *e)
{
    uint32_t stack;
    int r = sites_of(&s->sites, s->trace, e->stack, &stack);

    if (r == 0)
        sites_add(&s->sites, stack, SUMMARY_CPU, 0);
    return r;
}

static int by_kind(struct summing *s, const struct gotrace_event *e)
{
    switch (e->kind) {
    case GOTRACE_GO_STATE: return summing_go_event(s, e);
    case GOTRACE_PROC_STATE: return summing_proc_event(s, e);
    case GOTRACE_SYNC: return sync_event(s, e);
    case GOTRACE_METRIC:
        if (e->type == GOTRACE_EV_PROCS_CHANGE)
            return summing_procs_change(s, e);
        summing_gc_metric(s, e->type, e->args[0]);
        return 0;
    case GOTRACE_LABEL: return summing_gc_label(s, e);
    case GOTRACE_RANGE_BEGIN:
    case GOTRACE_RANGE_ACTIVE:
    case GOTRACE_RANGE_END: return summing_gc_range(s, e);
    case GOTRACE_STACK_SAMPLE: return sample(s, e);
    default: return summing_user_event(s, e);
    }
}

int summing_event(struct summing *s, const struct gotrace_event *e)
{
    int r;

    s->out->events.by_type[e->type]++;
    r = by_kind(s, e);
    if (e->m != s->thread && r == 0)
        r = note_thread(s, e->m);
    return r;
}

static int batch(struct summing *s, const struct gotrace_event *e, size_t n)
{
    const struct gotrace_event *end = e + n;
    int r = 0;

    if (!s->begun && n > 0) {
        s->begun = true;
        s->first = s->at = s->sync = e->time;
    }
    if (n > 0 && !in_span(s->first, end[-1].time))
        return -EOVERFLOW;
    for (; r == 0 && e < end; e++)
        r = summing_event(s, e);
    if (n > 0)
        s->last = end[-1].time;
    return r;
}

static int finish(struct summing *s)
{
    struct summary *out = s->out;
    int r;

    out->threads.seen = s->threads.n;
    out->threads.in_first = out->generations > 1 ? s->threads_in_first : s->threads.n;
    out->lost_stacks = s->sites.lost;
    for (size_t i = 0; i < 256; i++) {
        /* An event's type says its kind. */
        out->events.by_kind[specs[i].head[1] & 15] += out->events.by_type[i];
        out->events.total += out->events.by_type[i];
    }
    r = summing_go_finish(s);
    if (r == 0)
        r = summing_proc_finish(s);
    if (r == 0)
        r = summing_gc_finish(s);
    if (r == 0)
        r = summing_user_finish(s);
    for (unsigned i = 0; r == 0 && i < SUMMARY_N_PROFILES; i++)
        r = sites_top(&s->sites, i, &out->sites[i]);
    if (r == 0)
        r = sites_top(&s->sites, SITES_MISNESTED, &out->misnested);
    for (unsigned i = SUMMARY_SYNC; r == 0 && i <= SUMMARY_SYSCALL; i++)
        r = sites_top_of(&s->sites, i,
                         i == SUMMARY_SYNC ? STACK_SET(STACK_LOCK) | STACK_SET(STACK_CALL)
                                           : ~STACK_STANDING,
                         &out->delays[i]);
    return r;
}

/*
 * How much of the trace's time the numbers rest on. Behind what is no batch nobody knows the time:
 * the bytes say how much more there would have been.
 */
static void note_covered(struct summing *s)
{
    struct summary *out = s->out;
    struct reader_rest rest;
    double known;

    reader_skip_rest(s->trace, &rest);
    out->bytes = rest.bytes;
    known = (double)rest.followed;
    if (in_span(s->last, rest.time))
        out->spans = rest.time - s->first;
    else
        known = (double)(out->offset < rest.followed ? out->offset : rest.followed);
    if (out->spans > 0)
        out->covered = (double)out->window / (double)out->spans;
    if (rest.bytes > 0)
        out->covered *= known / (double)rest.bytes;
    if ((double)out->window < out->covered * (double)SUMMING_MAX_SPAN)
        out->spans = (int64_t)((double)out->window / out->covered);
}

static void note_end(struct summing *s, int code)
{
    struct gotrace_error error = gotrace_last_error(s->trace);

    if (code == -EOVERFLOW)
        error = (struct gotrace_error){.offset = gotrace_bytes_read(s->trace),
                                       .text = "times span more than 4.8 hours"};

    s->out->version = gotrace_version(s->trace);
    s->out->bytes = gotrace_bytes_read(s->trace);
    s->out->complete = code == 0;
    s->out->code = code;
    s->out->start = s->first;
    s->out->window = s->out->spans = s->last - s->first;
    s->out->covered = 1;
    if (code < 0) {
        s->out->offset = error.offset;
        (void)snprintf(s->out->why, sizeof(s->out->why), "%s", error.text ? error.text : "");
        note_covered(s);
    }
}

static int run(struct summing *s)
{
    const struct gotrace_event *e;
    size_t n;
    int r, bad = 0;

    reader_give_one(s->trace);
    while ((r = gotrace_next_batch(s->trace, &e, &n)) > 0) {
        bad = batch(s, e, n);
        if (bad == 0)
            bad = summing_turns(s);
        if (bad == -EOVERFLOW && s->out->generations > 0)
            break;
        if (bad < 0)
            return bad;
    }
    r = bad < 0 ? bad : r;
    if (r == 0 && s->out->generations == 0)
        return -ENODATA; /* which Go 1.26's format knows no better than to call complete */
    if (r < 0 && (s->out->generations == 0 || r == -ENOMEM || r == -ENOTSUP))
        return r;
    note_end(s, r);
    return finish(s);
}

/* What the bounds leave out is told; what memory that was short left out is nowhere. */
static bool memory_failed(const struct summing *s)
{
    return s->mem.failed || s->stw_types.mem.failed || s->task_types.mem.failed ||
           s->region_types.mem.failed;
}

int summary_run(struct gotrace *trace, struct summary *ret)
{
    struct summing *s = calloc(1, sizeof(*s));
    struct summary *out = calloc(1, sizeof(*out));
    int r = s && out ? prepare(s) : -ENOMEM;

    if (r == 0) {
        s->trace = trace;
        s->out = out;
        r = run(s);
    }
    if (r == 0 && memory_failed(s))
        r = -ENOMEM;
    if (r == 0) {
        out->arena = s->texts.arena;
        *ret = *out;
    } else if (s) {
        arena_free(s->texts.arena);
    }
    if (s)
        release(s);
    free(out);
    return r;
}

void summary_done(struct summary *s)
{
    if (!s)
        return;
    arena_free(s->arena);
    memset(s, 0, sizeof(*s));
}
