/* SPDX-License-Identifier: Apache-2.0 */

/* Notes the slowest waits, syscalls, runs and so on, and makes the tables of them. */

#include <stdlib.h>
#include <string.h>

#include "trace/summary/accumulator.h"

/* Adds one that began when its goroutine's state did, and is over now. */
static void note(struct accumulator *s, enum summary_slow kind, const struct accumulator_go *g,
                 struct outlier *o, int64_t time)
{
    o->g = g->id;
    o->at_start = g->flags & ACCUMULATOR_UNKNOWN_START;
    o->since = o->at_start ? s->first : g->since;
    o->duration = time - o->since;
    (void)outliers_add(&s->slow, kind, o);
}

/* Of a wait of this kind somebody waits for the end, however long it lasts. */
static bool delays(enum summary_slow kind)
{
    return kind == SUMMARY_SLOW_LOCK || kind == SUMMARY_SLOW_CALL || kind == SUMMARY_SLOW_REQUEST;
}

void accumulator_slow_wait(struct accumulator *s, const struct accumulator_go *g, int64_t time,
                           bool open)
{
    const struct accumulator_reason *reason = &s->reasons[g->reason];
    enum summary_slow kind = outliers_kind(reason->sort, s->sites.stacks[g->stack].class);
    struct outlier o = {.stack = g->stack, .text = reason->text, .open = open};

    if (kind == SUMMARY_N_SLOW)
        return;
    if (open && (g->flags & ACCUMULATOR_UNKNOWN_START) && !delays(kind)) {
        s->slow.standing[kind]++;
        return;
    }
    note(s, kind, g, &o, time);
}

void accumulator_slow_latency(struct accumulator *s, const struct accumulator_go *g, int64_t time,
                              bool open)
{
    struct outlier o = {.stack = g->stack, .open = open};

    note(s, SUMMARY_SLOW_LATENCIES, g, &o, time);
}

void accumulator_long_wait(struct accumulator *s, const struct accumulator_go *g, int64_t time)
{
    const struct accumulator_reason *reason = &s->reasons[g->reason];
    enum stack_class class = s->sites.stacks[g->stack].class;

    accumulator_slow_wait(s, g, time, false);
    sites_raise(&s->sites, g->stack, reason->column, time - g->since,
                s->slow.waits[reason->sort][class]);
}

void accumulator_long_latency(struct accumulator *s, const struct accumulator_go *g, int64_t time)
{
    accumulator_slow_latency(s, g, time, false);
    sites_raise(&s->sites, g->stack, SUMMARY_SCHED, time - g->since,
                s->slow.floors[SUMMARY_SLOW_LATENCIES]);
}

void accumulator_slow_syscall(struct accumulator *s, const struct accumulator_go *g, int64_t time,
                              bool open)
{
    struct outlier o = {.stack = g->stack, .open = open};

    note(s, SUMMARY_SLOW_SYSCALLS, g, &o, time);
}

void accumulator_slow_run(struct accumulator *s, const struct accumulator_go *g, uint32_t stack,
                          int64_t time, bool open)
{
    const int64_t *floor = &s->slow.floors[SUMMARY_SLOW_RUNS];
    int64_t hold = s->out->longest_hold.duration;
    struct outlier o = {.stack = stack, .open = open};

    if (s->sites.stacks[stack].class != STACK_TRACER)
        note(s, SUMMARY_SLOW_RUNS, g, &o, time);
    s->common_run = *floor < hold ? *floor : hold;
    if (s->common_run > SUMMARY_LONG_RUN)
        s->common_run = SUMMARY_LONG_RUN;
}

int accumulator_slow_pause(struct accumulator *s, uint32_t reason, int64_t time, bool open)
{
    struct outlier o = {.since = s->stw_since,
                        .duration = time - s->stw_since,
                        .g = s->stw_g,
                        .stack = s->stw_stack,
                        .open = open};
    int r;

    if (o.duration <= s->slow.floors[SUMMARY_SLOW_PAUSES])
        return 0;
    r = texts_of(&s->texts, s->trace, reason, &o.text);
    if (r == 0)
        (void)outliers_add(&s->slow, SUMMARY_SLOW_PAUSES, &o);
    return r;
}

int accumulator_slow_region(struct accumulator *s, const struct gotrace_event *e)
{
    bool at_start = e->third == GOTRACE_UNKNOWN;
    int64_t duration = at_start ? e->time - s->first : (int64_t)e->third;
    struct outlier o = {
        .since = e->time - duration, .duration = duration, .g = e->g, .at_start = at_start};
    int r;

    if (duration <= s->slow.floors[SUMMARY_SLOW_REGIONS])
        return 0;
    r = texts_of(&s->texts, s->trace, e->string, &o.text);
    if (r == 0)
        r = sites_of(&s->sites, s->trace, e->stack, &o.stack);
    if (r == 0)
        (void)outliers_add(&s->slow, SUMMARY_SLOW_REGIONS, &o);
    return r;
}

/* Where the goroutine is, if that is known. */
static uint32_t whereabouts(const struct accumulator_go *g)
{
    return g->state == GOTRACE_GO_WAITING || g->state == GOTRACE_GO_SYSCALL ? g->stack
                                                                            : SITES_NO_STACK;
}

int accumulator_slow_region_of(struct accumulator *s, const struct accumulator_go *g,
                               const struct accumulator_open *region, int64_t time, bool open)
{
    const struct type *type = types_get(&s->region_types, region->type);
    struct outlier o = {.since = region->since,
                        .duration = time - region->since,
                        .g = g->id,
                        .stack = whereabouts(g),
                        .open = open};
    int r = 0;

    if (o.duration <= s->slow.floors[SUMMARY_SLOW_REGIONS])
        return 0;
    if (type->text)
        r = texts_add(&s->texts, type->text, type->len, &o.text);
    if (r == 0)
        (void)outliers_add(&s->slow, SUMMARY_SLOW_REGIONS, &o);
    return r;
}

static int by_total(const void *a, const void *b)
{
    const struct summary_wait *x = a, *y = b;

    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    return strcmp(x->reason, y->reason);
}

void accumulator_sort_waits(struct summary_wait *list, size_t n)
{
    if (n > 1)
        qsort(list, n, sizeof(*list), by_total);
}

static int fill_ids(struct accumulator *s, const struct tasks_ids *ids, struct summary_work *ret)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < SUMMARY_N_IDS; i++) {
        char *copy;

        if (ids->text[i][0] == '\0')
            continue;
        r = arena_new(&s->texts.arena, SUMMARY_ID_SIZE, &copy);
        if (r == 0)
            memcpy(copy, ids->text[i], SUMMARY_ID_SIZE);
        ret->ids[i] = r == 0 ? copy : NULL;
    }
    return r;
}

static int fill_work(struct accumulator *s, const struct tasks_kept *kept,
                     const struct summary_work **ret)
{
    const struct tasks_work *from = &kept->work;
    struct summary_wait *waits;
    struct summary_work *work;
    int r = arena_new(&s->texts.arena, sizeof(*work), &work);

    if (r == 0)
        r = arena_new(&s->texts.arena, from->n_waits * sizeof(*waits), &waits);
    if (r < 0)
        return r;
    *work = (struct summary_work){.running = from->running,
                                  .runnable = from->runnable,
                                  .syscall = from->syscall,
                                  .standing = from->standing,
                                  .assist = from->assist,
                                  .other = from->other,
                                  .waits = waits,
                                  .n_waits = from->n_waits};
    for (uint32_t i = 0; i < from->n_waits; i++)
        waits[i] =
            (struct summary_wait){.reason = texts_get(&s->texts, s->reasons[from->reasons[i]].text),
                                  .total = from->waits[i]};
    accumulator_sort_waits(waits, from->n_waits);
    *ret = work;
    return fill_ids(s, &kept->ids, work);
}

static int fill(struct accumulator *s, enum summary_slow kind, uint32_t place,
                struct summary_outlier *ret)
{
    const struct outlier *o = &s->slow.lists[kind][place];

    *ret = (struct summary_outlier){
        .at = o->since - s->first,
        .duration = o->duration,
        .g = o->g,
        .name = texts_get(&s->texts, o->text),
        .site = sites_frame(&s->sites, o->stack, outliers_profile(kind)),
        .own = sites_own(&s->sites, o->stack, outliers_profile(kind)),
        .open = o->open,
        .at_start = o->at_start,
        .task = o->task,
        .parent = o->parent,
    };
    if (kind != SUMMARY_SLOW_TASKS || !s->slow_tasks[place].known)
        return 0;
    return fill_work(s, &s->slow_tasks[place], &ret->work);
}

int accumulator_slow_finish(struct accumulator *s)
{
    int r = 0;

    if (s->in_stw)
        r = accumulator_slow_pause(s, 0, s->last, true);
    for (unsigned kind = 0; r == 0 && kind < SUMMARY_N_SLOW; kind++) {
        struct summary_slowest *out = &s->out->slowest[kind];
        uint32_t order[SUMMARY_SLOWEST];

        outliers_order(&s->slow, kind, order);
        out->standing = s->slow.standing[kind];
        r = arena_new(&s->texts.arena, s->slow.n[kind] * sizeof(*out->list), &out->list);
        for (uint32_t i = 0; r == 0 && i < s->slow.n[kind]; i++)
            r = fill(s, kind, order[i], &out->list[i]);
        out->n = r == 0 ? s->slow.n[kind] : 0;
    }
    return r;
}
