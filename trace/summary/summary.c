/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "trace/reader/reader.h"
#include "trace/reader/specs.h"
#include "trace/summary/accumulator.h"
#include "trace/summary/ranking.h"

static const int64_t windows[MMU_WINDOWS] = {1000000, 10000000, 100000000};

static void release(struct accumulator *s)
{
    accumulator_turns_done(s);
    accumulator_go_done(s);
    accumulator_waits_done(s);
    accumulator_user_done(s);
    tasks_done(&s->tasks);
    handles_done(&s->id_kinds);
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

static int prepare(struct accumulator *s)
{
    int r;

    s->mem.max = ACCUMULATOR_MAX_MEMORY;
    s->due = s->runnable.next = s->runnable.prev = &s->runnable;
    s->runnable.since = INT64_MAX;
    accumulator_set_procs(s);
    if (getrandom(&s->seed, sizeof(s->seed), GRND_NONBLOCK) != sizeof(s->seed))
        s->seed = (uintptr_t)s * 0x9e3779b97f4a7c15U;
    idmap_init(&s->go_ids, &s->mem, s->seed);
    idmap_init(&s->threads, &s->mem, s->seed);
    handles_init(&s->reason_of, &s->mem);
    wakers_init(&s->wakers, &s->mem, s->seed);
    histogram_init(&s->latency, &s->mem, ACCUMULATOR_KEPT_LATENCIES);
    histogram_init(&s->syscalls, &s->mem, ACCUMULATOR_KEPT_SYSCALLS);
    histogram_init(&s->stw, &s->mem, ACCUMULATOR_KEPT_PAUSES);
    types_init(&s->stw_types, &s->mem, s->seed);
    types_init(&s->task_types, &s->mem, s->seed);
    types_init(&s->region_types, &s->mem, s->seed);
    outliers_init(&s->slow);
    tasks_init(&s->tasks, &s->mem, s->seed);
    handles_init(&s->id_kinds, &s->mem);
    mmu_init(&s->mmu, &s->mem, windows);
    mmu_init(&s->go_mmu, &s->mem, windows);
    r = texts_init(&s->texts, &s->mem, s->seed);
    return r < 0 ? r : sites_init(&s->sites, &s->texts, &s->mem, s->seed);
}

static int batch(struct accumulator *s, const struct gotrace_event *e, size_t n)
{
    const struct gotrace_event *end = e + n;
    int r = 0;

    if (!s->begun && n > 0) {
        s->begun = true;
        s->first = s->at = s->sync = s->last = e->time;
    }
    if (n > 0 && !accumulator_in_span(s->first, end[-1].time))
        return -EOVERFLOW;
    if (n > 0 && e->time - s->last > SUMMARY_SILENCE)
        accumulator_silence(s, e->time);
    for (; r == 0 && e < end; e++)
        r = accumulator_event(s, e);
    if (n > 0)
        s->last = end[-1].time;
    return r;
}

static int rank_sites(struct accumulator *s)
{
    struct summary *out = s->out;
    int r = ranking_of(&s->sites, SITES_MISNESTED, &out->misnested);

    if (r == 0)
        r = ranking_of(&s->sites, SITES_BY_TIMER, &out->timer_funcs);
    if (r == 0)
        r = ranking_of(&s->sites, SITES_SLOW, &out->slow);
    if (r == 0)
        r = ranking_of(&s->sites, SITES_INSIDE, &out->inside.sites);
    if (r == 0)
        r = ranking_of(&s->sites, SITES_STILL, &out->still.sites);
    if (r == 0)
        r = ranking_of_own(&s->sites, SUMMARY_CPU, &out->samples);
    for (unsigned i = 0; r == 0 && i < SUMMARY_N_PROFILES; i++)
        r = ranking_of_profile(&s->sites, i, STACK_ALL, &out->sites[i]);
    for (unsigned i = 0; r == 0 && i < SUMMARY_N_OPEN; i++)
        r = ranking_of(&s->sites, SITES_OPEN + i, &out->open[i]);
    for (unsigned i = SUMMARY_SYNC; r == 0 && i <= SUMMARY_SYSCALL; i++)
        r = ranking_of_profile(&s->sites, i,
                               i == SUMMARY_SYNC ? STACK_SET(STACK_LOCK) | STACK_SET(STACK_CALL) |
                                                       STACK_SET(STACK_CONN)
                                                 : ~STACK_STANDING,
                               &out->delays[i]);
    return r;
}

/* Memory for the tables that are made at the end, one after the other, when all others are full. */
#define FINISH_MEMORY (8U << 20)

static int finish(struct accumulator *s)
{
    struct summary *out = s->out;
    int r;

    s->mem.max += FINISH_MEMORY;
    silences_finish(&s->silences, &out->silences);
    out->threads.seen = s->threads.n;
    out->threads.in_first = out->generations > 1 ? s->threads_in_first : s->threads.n;
    out->lost_stacks = s->sites.lost;
    for (size_t i = 0; i < 256; i++) {
        /* An event's kind follows from its type. */
        out->events.by_kind[specs[i].head[1] & 15] += out->events.by_type[i];
        out->events.total += out->events.by_type[i];
    }
    r = accumulator_task_finish(s);
    if (r == 0)
        r = accumulator_go_finish(s);
    if (r == 0)
        r = accumulator_slow_finish(s);
    if (r == 0)
        r = accumulator_proc_finish(s);
    if (r == 0)
        r = accumulator_gc_finish(s);
    if (r == 0)
        r = accumulator_user_finish(s);
    if (r == 0)
        r = rank_sites(s);
    if (r == 0 && s->watcher)
        r = s->watcher->finish(s->watcher->userdata, &s->sites, s->first, s->last);
    return r;
}

/*
 * Computes the share of the trace's time that the numbers rest on. Where bytes follow that cannot
 * be read as batches, their time is unknown and is estimated from their number.
 */
static void note_covered(struct accumulator *s)
{
    struct summary *out = s->out;
    struct reader_rest rest;
    double known;

    reader_skip_rest(s->trace, &rest);
    out->bytes = rest.bytes;
    known = (double)rest.followed;
    if (accumulator_in_span(s->last, rest.time))
        out->spans = rest.time - s->first;
    else
        known = (double)(out->offset < rest.followed ? out->offset : rest.followed);
    if (out->spans > 0)
        out->covered = (double)out->window / (double)out->spans;
    if (rest.bytes > 0)
        out->covered *= known / (double)rest.bytes;
    if ((double)out->window < out->covered * (double)ACCUMULATOR_MAX_SPAN)
        out->spans = (int64_t)((double)out->window / out->covered);
}

static void note_end(struct accumulator *s, int code)
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

static int run(struct accumulator *s)
{
    const struct gotrace_event *e;
    size_t n;
    int r, bad = 0;

    /* The turns pass regions and logs by, which a watcher wants to see. */
    if (!s->watcher)
        reader_give_one(s->trace);
    while ((r = gotrace_next_batch(s->trace, &e, &n)) > 0) {
        bad = batch(s, e, n);
        if (bad == 0 && !s->watcher)
            bad = accumulator_turns(s);
        if (bad == -EOVERFLOW && s->out->generations > 0)
            break;
        if (bad < 0)
            return bad;
    }
    r = bad < 0 ? bad : r;
    if (r == 0 && s->out->generations == 0)
        return -ENODATA; /* Go 1.26's format does not tell this from a complete trace */
    if (r < 0 && (s->out->generations == 0 || r == -ENOMEM || r == -ENOTSUP))
        return r;
    note_end(s, r);
    return finish(s);
}

/* Something is missing because memory ran out. Unlike what the bounds leave out, that is counted
 * nowhere, so it must be an error. */
static bool memory_failed(const struct accumulator *s)
{
    return s->mem.failed || s->stw_types.mem.failed || s->task_types.mem.failed ||
           s->region_types.mem.failed;
}

int summary_watch(struct gotrace *trace, const struct watcher *watcher, struct summary *ret)
{
    struct accumulator *s = calloc(1, sizeof(*s));
    struct summary *out = calloc(1, sizeof(*out));
    int r = s && out ? prepare(s) : -ENOMEM;

    if (r == 0) {
        s->trace = trace;
        s->watcher = watcher;
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

int summary_run(struct gotrace *trace, struct summary *ret)
{
    return summary_watch(trace, NULL, ret);
}

void summary_done(struct summary *s)
{
    if (!s)
        return;
    arena_free(s->arena);
    memset(s, 0, sizeof(*s));
}
