/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a program says of itself: tasks and regions, summed up by their types. A region that is open
 * when its goroutine ends, ends with it, as in Go's Summarizer.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/summary/summing.h"

#define NO_TYPE SUMMING_MAX_TYPES

int summing_type_of(struct summing *s, struct summing_types *types, uint32_t string, uint32_t *ret)
{
    uint32_t text, i = 0;
    int r = texts_of(&s->texts, s->trace, string, &text);

    if (r < 0)
        return r;
    *ret = NO_TYPE;
    while (i < types->n && types->list[i].text != text)
        i++;
    if (i == NO_TYPE) {
        types->other++;
        return 0;
    }
    if (i == types->n) {
        r = memory_grow(&s->mem, &types->list, &types->cap, i + 1, sizeof(*types->list));
        if (r < 0)
            return r;
        types->list[i] = (struct summing_type){.text = text};
        histogram_init(&types->list[i].times, &s->mem, SUMMING_KEPT_OF_TYPE);
        types->n++;
    }
    *ret = i;
    return 0;
}

/* A place for what is open; IDMAP_NONE if there are too many. */
static int take(struct summing *s, struct summing_pool *pool, uint32_t *ret)
{
    int r;

    *ret = IDMAP_NONE;
    if (pool->free != 0) {
        *ret = pool->free - 1;
        pool->free = pool->list[*ret].next;
        return 0;
    }
    if (pool->n == SUMMING_MAX_OPEN)
        return 0;
    r = memory_grow(&s->mem, &pool->list, &pool->cap, pool->n + 1, sizeof(*pool->list));
    if (r == 0)
        *ret = pool->n++;
    return r;
}

static void give_back(struct summing_pool *pool, uint32_t n)
{
    pool->list[n].next = pool->free;
    pool->free = n + 1;
}

static int ended(struct summing_types *types, const struct summing_open *open, int64_t time)
{
    return open->type == NO_TYPE
             ? 0
             : histogram_add(&types->list[open->type].times, time - open->since);
}

/* One that began before the trace ends, or did not find a place when it began. */
static int ended_unknown(struct summing *s, struct summing_types *types, uint32_t string)
{
    uint32_t type;
    int r = summing_type_of(s, types, string, &type);

    if (r == 0 && type != NO_TYPE)
        types->list[type].open++;
    return r;
}

static int begin_task(struct summing *s, const struct gotrace_event *e)
{
    uint32_t type, n = IDMAP_NONE;
    int r = summing_type_of(s, &s->task_types, e->string, &type);

    if (r == 0)
        r = take(s, &s->tasks, &n);
    if (r < 0)
        return r;
    if (n == IDMAP_NONE) {
        s->task_types.other++;
        return 0;
    }
    s->tasks.list[n] = (struct summing_open){.since = e->time, .type = type};
    r = idmap_add(&s->task_ids, e->args[0], n);
    if (r < 0)
        give_back(&s->tasks, n);
    return r == -EEXIST ? 0 : r;
}

static int end_task(struct summing *s, const struct gotrace_event *e)
{
    uint32_t n = idmap_remove(&s->task_ids, e->args[0]);
    int r;

    if (n == IDMAP_NONE)
        return ended_unknown(s, &s->task_types, e->string);
    r = ended(&s->task_types, &s->tasks.list[n], e->time);
    give_back(&s->tasks, n);
    return r;
}

static int begin_region(struct summing *s, const struct gotrace_event *e)
{
    struct summing_go *g = summing_go_find(s, e->g);
    uint32_t type, n = IDMAP_NONE;
    int r = summing_type_of(s, &s->region_types, e->string, &type);

    if (r == 0 && g)
        r = take(s, &s->regions, &n);
    if (r < 0)
        return r;
    if (n == IDMAP_NONE) {
        s->region_types.other++;
        return 0;
    }
    s->regions.list[n] = (struct summing_open){e->time, type, g->regions};
    g->regions = n + 1;
    return 0;
}

static int end_innermost(struct summing *s, struct summing_go *g, int64_t time)
{
    uint32_t n = g->regions - 1;
    int r = ended(&s->region_types, &s->regions.list[n], time);

    g->regions = s->regions.list[n].next;
    give_back(&s->regions, n);
    return r;
}

static int end_region(struct summing *s, const struct gotrace_event *e)
{
    struct summing_go *g = summing_go_find(s, e->g);

    if (!g || g->regions == 0)
        return ended_unknown(s, &s->region_types, e->string);
    return end_innermost(s, g, e->time);
}

int summing_regions_end(struct summing *s, struct summing_go *g, int64_t time)
{
    int r = 0;

    while (g->regions != 0 && r == 0)
        r = end_innermost(s, g, time);
    return r;
}

void summing_regions_left(struct summing *s, const struct summing_go *g)
{
    for (uint32_t n = g->regions; n != 0; n = s->regions.list[n - 1].next) {
        uint32_t type = s->regions.list[n - 1].type;

        if (type != NO_TYPE)
            s->region_types.list[type].open++;
    }
}

int summing_user_event(struct summing *s, const struct gotrace_event *e)
{
    switch (e->kind) {
    case GOTRACE_TASK_BEGIN: return begin_task(s, e);
    case GOTRACE_TASK_END: return end_task(s, e);
    case GOTRACE_REGION_BEGIN: return begin_region(s, e);
    case GOTRACE_REGION_END: return end_region(s, e);
    default: return 0;
    }
}

void summing_times(struct histogram *h, struct summary_times *ret)
{
    static const unsigned permille[] = {500, 900, 990, 999};
    int64_t values[4];

    histogram_percentiles(h, permille, values, 4);
    *ret = (struct summary_times){
        .count = h->count,
        .total = h->total,
        .p50 = values[0],
        .p90 = values[1],
        .p99 = values[2],
        .p999 = values[3],
        .max = h->max,
        .exact = !h->buckets,
    };
}

static int by_total(const void *a, const void *b)
{
    const struct summary_row *x = a, *y = b;

    if (x->times.total != y->times.total)
        return x->times.total > y->times.total ? -1 : 1;
    return strcmp(x->name, y->name);
}

int summing_rows(struct summing *s, struct summing_types *types, struct summary_rows *ret)
{
    int r = arena_new(&s->texts.arena, types->n * sizeof(*ret->list), &ret->list);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < types->n; i++) {
        ret->list[i].name = texts_get(&s->texts, types->list[i].text);
        ret->list[i].open = types->list[i].open;
        summing_times(&types->list[i].times, &ret->list[i].times);
    }
    ret->n = types->n;
    ret->other = types->other;
    if (ret->n > 1)
        qsort(ret->list, ret->n, sizeof(*ret->list), by_total);
    return 0;
}

int summing_user_finish(struct summing *s)
{
    int r;

    for (size_t i = 0; i < s->task_ids.n_slots; i++) {
        const struct idmap_slot *slot = &s->task_ids.slots[i];
        uint32_t type = slot->value ? s->tasks.list[slot->value - 1].type : NO_TYPE;

        if (type != NO_TYPE)
            s->task_types.list[type].open++;
    }
    r = summing_rows(s, &s->task_types, &s->out->tasks);
    return r < 0 ? r : summing_rows(s, &s->region_types, &s->out->regions);
}

void summing_types_done(struct summing *s, struct summing_types *types)
{
    for (uint32_t i = 0; i < types->n; i++)
        histogram_done(&types->list[i].times);
    memory_free(&s->mem, types->list, types->cap * sizeof(*types->list));
}

void summing_user_done(struct summing *s)
{
    summing_types_done(s, &s->task_types);
    summing_types_done(s, &s->region_types);
    memory_free(&s->mem, s->tasks.list, s->tasks.cap * sizeof(*s->tasks.list));
    memory_free(&s->mem, s->regions.list, s->regions.cap * sizeof(*s->regions.list));
    idmap_done(&s->task_ids);
}
