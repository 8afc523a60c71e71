/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a program tells about itself: tasks and regions, summed up by their types. A region that is
 * still open when its goroutine ends, ends then, as in Go's Summarizer.
 */

#include <errno.h>
#include <string.h>

#include "trace/summary/accumulator.h"

/* Takes a place for an open region; IDMAP_NONE if there are too many. */
static int take(struct accumulator *s, struct accumulator_pool *pool, uint32_t *ret)
{
    int r;

    *ret = IDMAP_NONE;
    if (pool->free != 0) {
        *ret = pool->free - 1;
        pool->free = pool->list[*ret].next;
        return 0;
    }
    if (pool->n == ACCUMULATOR_MAX_OPEN)
        return 0;
    r = memory_grow(&s->mem, &pool->list, &pool->cap, pool->n + 1, sizeof(*pool->list));
    if (r == 0)
        *ret = pool->n++;
    return r == -E2BIG ? 0 : r;
}

/* A task or region ended. The reader tells how long it lasted, as it remembers all that are
 * open. */
static int ended(struct types *types, uint32_t type, const struct gotrace_event *e)
{
    if (e->third == GOTRACE_UNKNOWN) {
        types_get(types, type)->unknown++;
        return 0;
    }
    types_get(types, type)->open--;
    return types_add(types, type, (int64_t)e->third);
}

static int begin_task(struct accumulator *s, const struct gotrace_event *e)
{
    uint32_t type;
    int r = types_of(&s->task_types, s->trace, e->string, &type);

    if (r < 0)
        return r;
    types_get(&s->task_types, type)->open++;
    return accumulator_task_begin(s, e, type);
}

static int end_task(struct accumulator *s, const struct gotrace_event *e)
{
    uint32_t type;
    int r = types_of(&s->task_types, s->trace, e->string, &type);

    if (r == 0)
        r = ended(&s->task_types, type, e);
    return r < 0 ? r : accumulator_task_end(s, e);
}

static int begin_region(struct accumulator *s, const struct gotrace_event *e)
{
    struct accumulator_go *g = accumulator_go_find(s, e->g);
    uint32_t type, n = IDMAP_NONE;
    int r = types_of(&s->region_types, s->trace, e->string, &type);

    if (r == 0)
        types_get(&s->region_types, type)->open++;
    if (r == 0 && g)
        r = take(s, &s->regions, &n);
    if (r < 0)
        return r;
    if (n == IDMAP_NONE) {
        s->regions_full = true;
        return 0;
    }
    types_hold(&s->region_types, type);
    s->regions.list[n] =
        (struct accumulator_open){.since = e->time, .type = type, .next = g->regions};
    g->regions = n + 1;
    return accumulator_task_enter(s, g, e->args[0], e->time, &s->regions.list[n]);
}

/* Removes a region from its goroutine's list. The caller must release its type. */
static void take_out(struct accumulator_pool *pool, uint32_t *link)
{
    uint32_t n = *link - 1;

    *link = pool->list[n].next;
    pool->list[n].next = pool->free;
    pool->free = n + 1;
}

/* The link to the goroutine's region that began at that time, or NULL. */
static uint32_t *find_region(struct accumulator *s, struct accumulator_go *g, int64_t since)
{
    uint32_t *link = &g->regions;

    while (*link != 0 && s->regions.list[*link - 1].since > since)
        link = &s->regions.list[*link - 1].next;
    return *link != 0 && s->regions.list[*link - 1].since == since ? link : NULL;
}

/* The program ended a region that is not the innermost, or one that the goroutine does not have. */
static int misnested(struct accumulator *s, const struct gotrace_event *e, uint32_t type)
{
    uint32_t stack;
    int r = sites_of(&s->sites, s->trace, e->stack, &stack);

    types_get(&s->region_types, type)->misnested++;
    if (r == 0)
        sites_add(&s->sites, stack, SITES_MISNESTED, 0);
    return r;
}

/* The region would have to be older than the trace, but its goroutine is not: so the goroutine
 * never began it. */
static bool is_of_another(const struct accumulator_go *g, const struct gotrace_event *e)
{
    return g && g->created && e->third == GOTRACE_UNKNOWN;
}

/* The region of this link ends. */
static int end_linked(struct accumulator *s, struct accumulator_go *g, uint32_t *link,
                      const struct gotrace_event *e)
{
    struct accumulator_open open = s->regions.list[*link - 1];
    int r;

    take_out(&s->regions, link);
    accumulator_task_leave(s, g, &open, e->time);
    r = ended(&s->region_types, open.type, e);
    types_release(&s->region_types, open.type);
    return r;
}

static int end_region(struct accumulator *s, const struct gotrace_event *e)
{
    struct accumulator_go *g = accumulator_go_find(s, e->g);
    bool of_another = is_of_another(g, e);
    uint32_t *link = NULL, type;
    int r = types_of(&s->region_types, s->trace, e->string, &type);

    if (r == 0 && (e->args[1] != 0 || of_another))
        r = misnested(s, e, type);
    if (r < 0 || e->args[1] == GOTRACE_UNKNOWN)
        return r;
    r = of_another ? 0 : accumulator_slow_region(s, e);
    if (r < 0)
        return r;
    if (g && e->third != GOTRACE_UNKNOWN)
        link = find_region(s, g, e->time - (int64_t)e->third);
    if (link)
        return end_linked(s, g, link, e);
    /* The region had no place, or was ended already because its goroutine seemed to wait
     * forever. */
    if (s->regions_full || e->third == GOTRACE_UNKNOWN)
        return ended(&s->region_types, type, e);
    types_get(&s->region_types, type)->unknown++;
    return 0;
}

int accumulator_regions_end(struct accumulator *s, struct accumulator_go *g, int64_t time)
{
    int r = 0;

    while (g->regions != 0 && r == 0) {
        struct accumulator_open open = s->regions.list[g->regions - 1];

        take_out(&s->regions, &g->regions);
        types_get(&s->region_types, open.type)->open--;
        r = accumulator_slow_region_of(s, g, &open, time, false);
        if (r == 0)
            r = types_add(&s->region_types, open.type, time - open.since);
        types_release(&s->region_types, open.type);
    }
    accumulator_task_quit(s, g);
    return r;
}

static int user_event(struct accumulator *s, const struct gotrace_event *e)
{
    switch (e->kind) {
    case GOTRACE_TASK_BEGIN: return begin_task(s, e);
    case GOTRACE_TASK_END: return end_task(s, e);
    case GOTRACE_REGION_BEGIN: return begin_region(s, e);
    case GOTRACE_REGION_END: return end_region(s, e);
    case GOTRACE_LOG: return accumulator_task_log(s, e);
    default: return 0;
    }
}

int accumulator_user_event(struct accumulator *s, const struct gotrace_event *e)
{
    const struct watcher *w = s->watcher;
    bool ends = e->kind == GOTRACE_TASK_END || e->kind == GOTRACE_REGION_END;
    int r = 0;

    if (w && !ends)
        r = w->marked(w->userdata, &s->sites, s->trace, e);
    if (r == 0)
        r = user_event(s, e);
    if (r == 0 && w && ends)
        r = w->marked(w->userdata, &s->sites, s->trace, e);
    return r;
}

int accumulator_user_finish(struct accumulator *s)
{
    int r = types_rows(&s->task_types, &s->texts.arena, &s->out->tasks);

    return r < 0 ? r : types_rows(&s->region_types, &s->texts.arena, &s->out->regions);
}

void accumulator_user_done(struct accumulator *s)
{
    types_done(&s->task_types);
    types_done(&s->region_types);
    memory_free(&s->mem, s->regions.list, s->regions.cap * sizeof(*s->regions.list));
}
