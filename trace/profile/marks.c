/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/profile/marks.h"

#include <errno.h>
#include <string.h>

#define DEPTH 64 /* marks of a goroutine that are looked at for a task that is not over */

void marks_init(struct marks *m, struct memory *mem, struct sums *sums, uint64_t seed)
{
    memset(m, 0, sizeof(*m));
    m->mem = mem;
    m->sums = sums;
    m->free = SUMS_NONE;
    idmap_init(&m->tasks, mem, seed | 1);
    idmap_init(&m->tops, mem, seed | 1);
}

void marks_done(struct marks *m)
{
    idmap_done(&m->tasks);
    idmap_done(&m->tops);
    memory_free(m->mem, m->list, m->cap * sizeof(*m->list));
}

void marks_clear(struct marks *m)
{
    idmap_clear(&m->tasks);
    idmap_clear(&m->tops);
    m->n = 0;
    m->free = SUMS_NONE;
}

static uint32_t top_of(const struct marks *m, uint64_t g)
{
    uint32_t i = idmap_find(&m->tops, g);

    return i == IDMAP_NONE ? SUMS_NONE : i;
}

static void set_top(struct marks *m, uint64_t g, uint32_t i)
{
    if (i == SUMS_NONE)
        (void)idmap_remove(&m->tops, g);
    else
        idmap_set(&m->tops, g, i);
}

static int take_place(struct marks *m, uint32_t *ret)
{
    int r;

    if (m->free != SUMS_NONE) {
        *ret = m->free;
        m->free = m->list[m->free].below;
        return 0;
    }
    if (m->n >= IDMAP_NONE)
        return -E2BIG;
    r = memory_grow(m->mem, &m->list, &m->cap, m->n + 1, sizeof(*m->list));
    if (r == 0)
        *ret = (uint32_t)m->n++;
    return r;
}

static void give_back(struct marks *m, uint32_t i)
{
    m->list[i].below = m->free;
    m->free = i;
}

static bool is_over(const struct marks *m, const struct mark *mark)
{
    return idmap_find(&m->tasks, mark->task) == IDMAP_NONE;
}

/* Forgets tasks that are over, down to what is still open. */
static uint32_t settle_top(struct marks *m, uint64_t g)
{
    uint32_t top = top_of(m, g), i = top;

    while (i != SUMS_NONE && m->list[i].region == SUMS_NONE && is_over(m, &m->list[i])) {
        uint32_t below = m->list[i].below;

        give_back(m, i);
        i = below;
    }
    if (i != top)
        set_top(m, g, i);
    return i;
}

static int push(struct marks *m, uint64_t g, uint64_t task, uint32_t region, int64_t start)
{
    uint32_t below = settle_top(m, g), i = SUMS_NONE;
    int r = take_place(m, &i);

    if (r < 0)
        return r;
    m->list[i] = (struct mark){task, start, region, below};
    if (below != SUMS_NONE)
        idmap_set(&m->tops, g, i);
    else
        r = idmap_add(&m->tops, g, i);
    return r;
}

static int string_of(struct marks *m, const struct gotrace *trace, uint32_t handle, uint32_t *ret)
{
    size_t len;
    const char *text = gotrace_string(trace, handle, &len);

    return sums_string(m->sums, text, len, ret);
}

static int begin_task(struct marks *m, const struct gotrace *trace, const struct gotrace_event *e)
{
    uint32_t type;
    int r = string_of(m, trace, e->string, &type);

    if (r == 0)
        r = idmap_add(&m->tasks, e->args[0], type);
    if (r == -EEXIST)
        return 0;
    if (r == 0 && e->g != GOTRACE_NONE)
        r = push(m, (uint64_t)e->g, e->args[0], SUMS_NONE, e->time);
    return r;
}

static int begin_region(struct marks *m, const struct gotrace *trace, const struct gotrace_event *e)
{
    uint32_t type;
    int r = string_of(m, trace, e->string, &type);

    return r < 0 ? r : push(m, (uint64_t)e->g, e->args[0], type, e->time);
}

/* Usually the innermost; the time of its begin tells which. */
static void end_region(struct marks *m, const struct gotrace_event *e)
{
    int64_t since = (int64_t)((uint64_t)e->time - e->third);
    uint32_t above = SUMS_NONE;

    if (e->args[1] == GOTRACE_UNKNOWN)
        return;
    for (uint32_t i = top_of(m, (uint64_t)e->g); i != SUMS_NONE; i = m->list[i].below) {
        const struct mark *mark = &m->list[i];

        if (mark->region != SUMS_NONE && mark->start == since) {
            if (above == SUMS_NONE)
                set_top(m, (uint64_t)e->g, mark->below);
            else
                m->list[above].below = mark->below;
            give_back(m, i);
            return;
        }
        above = i;
    }
}

/* A goroutine of the runtime, or one whose first function nobody knows. */
static bool is_system(const struct gotrace *trace, uint32_t stack)
{
    static const char prefix[] = "runtime.", main_name[] = "runtime.main";
    size_t n, len = 0;
    const uint32_t *row = gotrace_stack(trace, stack, &n);
    const struct gotrace_frame *frame = n > 0 ? gotrace_frame(trace, row[n - 1]) : NULL;
    const char *name = frame ? gotrace_string(trace, frame->func, &len) : NULL;

    if (!name || len == 0)
        return true;
    if (len == strlen(main_name) && memcmp(name, main_name, len) == 0)
        return false;
    return len >= strlen(prefix) && memcmp(name, prefix, strlen(prefix)) == 0;
}

static int inherit(struct marks *m, const struct gotrace *trace, const struct gotrace_event *e)
{
    uint32_t i = e->g == GOTRACE_NONE ? SUMS_NONE : settle_top(m, (uint64_t)e->g);

    if (e->type != GOTRACE_EV_GO_CREATE && e->type != GOTRACE_EV_GO_CREATE_BLOCKED)
        return 0;
    for (unsigned depth = 0; i != SUMS_NONE && depth < DEPTH; depth++, i = m->list[i].below) {
        if (!is_over(m, &m->list[i]))
            return is_system(trace, e->new_stack)
                     ? 0
                     : push(m, e->args[0], m->list[i].task, SUMS_NONE, e->time);
    }
    return 0;
}

static void end_goroutine(struct marks *m, uint64_t g)
{
    uint32_t i = top_of(m, g);

    if (i != SUMS_NONE)
        set_top(m, g, SUMS_NONE);
    while (i != SUMS_NONE) {
        uint32_t below = m->list[i].below;

        give_back(m, i);
        i = below;
    }
}

int marks_take(struct marks *m, const struct gotrace *trace, const struct gotrace_event *e)
{
    switch (e->kind) {
    case GOTRACE_TASK_BEGIN: return begin_task(m, trace, e);
    case GOTRACE_TASK_END: (void)idmap_remove(&m->tasks, e->args[0]); return 0;
    case GOTRACE_REGION_BEGIN: return begin_region(m, trace, e);
    case GOTRACE_REGION_END: end_region(m, e); return 0;
    case GOTRACE_GO_STATE:
        if (e->from == GOTRACE_GO_NOT_EXIST)
            return inherit(m, trace, e);
        if (e->to == GOTRACE_GO_NOT_EXIST)
            end_goroutine(m, e->args[0]);
        return 0;
    default: return 0;
    }
}

void marks_of(struct marks *m, uint64_t g, uint32_t *ret_task, uint32_t *ret_region)
{
    uint32_t i = settle_top(m, g);

    *ret_task = *ret_region = SUMS_NONE;
    for (unsigned depth = 0; i != SUMS_NONE && depth < DEPTH; depth++, i = m->list[i].below) {
        const struct mark *mark = &m->list[i];
        uint32_t type = idmap_find(&m->tasks, mark->task);

        if (*ret_region == SUMS_NONE)
            *ret_region = mark->region;
        if (*ret_task == SUMS_NONE && type != IDMAP_NONE)
            *ret_task = type;
        if (*ret_task != SUMS_NONE && *ret_region != SUMS_NONE)
            return;
    }
}
