/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/profile/timing.h"

#include <errno.h>
#include <string.h>

#define NONE UINT32_MAX

/* An open region, or the task in which a goroutine was created. */
struct open_region {
    int64_t start;
    uint64_t task;
    uint32_t below; /* the enclosing one, or the next free one; or NONE */
    bool counts;
};

struct life {
    int64_t g;
    int64_t start, end;
    bool ran, ended;
    bool again;   /* the number was used by an earlier goroutine */
    uint32_t top; /* its innermost region, or NONE */
    uint32_t next_free;
};

struct timing {
    struct gotrace *trace;
    const struct timing_filter *filter;
    bool filters;
    struct memory *mem;
    struct spans *spans;
    bool begun;
    int64_t first, last; /* start and end of the trace, without a part that breaks off */

    struct idmap numbers; /* goroutines to lives */
    struct life *lives;
    size_t n_lives, lives_cap;
    uint32_t free_life;
    struct open_region *regions;
    size_t n_regions, regions_cap;
    uint32_t free_region;
    struct idmap tasks; /* of the wanted type */
};

static struct life *find_life(struct timing *s, int64_t g)
{
    uint32_t i = idmap_find(&s->numbers, (uint64_t)g);

    return i == IDMAP_NONE ? NULL : &s->lives[i];
}

static int get_life(struct timing *s, int64_t g, struct life **ret)
{
    uint32_t i = s->free_life;
    int r;

    *ret = find_life(s, g);
    if (*ret)
        return 0;
    if (i == NONE) {
        if (s->n_lives >= NONE)
            return -E2BIG;
        r = memory_grow(s->mem, &s->lives, &s->lives_cap, s->n_lives + 1, sizeof(*s->lives));
        if (r < 0)
            return r;
        i = (uint32_t)s->n_lives;
    }
    r = idmap_add(&s->numbers, (uint64_t)g, i);
    if (r < 0)
        return r;
    if (i == s->n_lives)
        s->n_lives++;
    else
        s->free_life = s->lives[i].next_free;
    s->lives[i] = (struct life){.g = g, .top = NONE, .next_free = NONE};
    *ret = &s->lives[i];
    return 0;
}

static void forget_life(struct timing *s, struct life *life)
{
    idmap_remove(&s->numbers, (uint64_t)life->g);
    life->g = GOTRACE_NONE;
    life->next_free = s->free_life;
    s->free_life = (uint32_t)(life - s->lives);
}

static int push(struct timing *s, struct life *life, int64_t start, uint64_t task, bool counts)
{
    uint32_t i = s->free_region;

    if (i != NONE) {
        s->free_region = s->regions[i].below;
    } else {
        int r = s->n_regions >= NONE ? -E2BIG
                                     : memory_grow(s->mem, &s->regions, &s->regions_cap,
                                                   s->n_regions + 1, sizeof(*s->regions));

        if (r < 0)
            return r;
        i = (uint32_t)s->n_regions++;
    }
    s->regions[i] = (struct open_region){start, task, life->top, counts};
    life->top = i;
    return 0;
}

/* The region that a link of the goroutine's leads to ends. */
static int end_open(struct timing *s, struct life *life, uint32_t *link, int64_t end)
{
    uint32_t i = *link;
    struct open_region *region = &s->regions[i];
    int r = region->counts ? spans_add(s->spans, life->g, region->start, end) : 0;

    *link = region->below;
    region->below = s->free_region;
    s->free_region = i;
    return r;
}

static int pop(struct timing *s, struct life *life, int64_t end)
{
    return end_open(s, life, &life->top, end);
}

static bool is_text(const struct timing *s, uint64_t handle, const char *text)
{
    size_t len;
    const char *string = gotrace_string(s->trace, handle, &len);

    return len == strlen(text) && memcmp(string, text, len) == 0;
}

static bool task_counts(const struct timing *s, uint64_t task)
{
    return !s->filter->task || idmap_find(&s->tasks, task) != IDMAP_NONE;
}

static bool region_counts(const struct timing *s, const struct gotrace_event *e)
{
    return (!s->filter->region || is_text(s, e->string, s->filter->region)) &&
           task_counts(s, e->args[0]);
}

/* A goroutine of the runtime, recognised by its first function. */
static bool is_system(const struct timing *s, uint32_t stack)
{
    size_t n, len;
    const uint32_t *row = gotrace_stack(s->trace, stack, &n);
    const struct gotrace_frame *frame = n > 0 ? gotrace_frame(s->trace, row[n - 1]) : NULL;
    const char *name = frame ? gotrace_string(s->trace, frame->func, &len) : NULL;

    if (!name || len == 0)
        return true;
    return len > 8 && memcmp(name, "runtime.", 8) == 0 && !is_text(s, frame->func, "runtime.main");
}

static int inherit(struct timing *s, const struct gotrace_event *e)
{
    struct life *creator = find_life(s, e->g), *life;
    struct open_region *top;
    uint64_t task;
    int r;

    if (!creator || creator->top == NONE)
        return 0;
    top = &s->regions[creator->top];
    task = top->task;
    if (e->type != GOTRACE_EV_GO_CREATE && e->type != GOTRACE_EV_GO_CREATE_BLOCKED)
        return 0;
    if (is_system(s, e->new_stack))
        return 0;
    r = get_life(s, (int64_t)e->args[0], &life);
    if (r < 0)
        return r;
    /* A region without type counts if only the task is wanted. */
    return push(s, life, e->time, task, !s->filter->region && task_counts(s, task));
}

static int begin_life(struct timing *s, const struct gotrace_event *e)
{
    struct life *life = find_life(s, (int64_t)e->args[0]);
    int r;

    if (s->filters)
        return e->from == GOTRACE_GO_NOT_EXIST ? inherit(s, e) : 0;
    if (life) {
        life->again = true;
        life->ran = life->ended = false;
        return 0;
    }
    r = get_life(s, (int64_t)e->args[0], &life);
    return r;
}

static int end_life(struct timing *s, const struct gotrace_event *e)
{
    struct life *life = find_life(s, (int64_t)e->args[0]);
    int r = 0;

    if (!life)
        return 0;
    while (r == 0 && life->top != NONE)
        r = pop(s, life, e->time);
    life->ended = true;
    life->end = e->time;
    if (s->filters || (e->type == GOTRACE_EV_GO_DESTROY && !life->again))
        forget_life(s, life);
    return r;
}

static int go_state(struct timing *s, const struct gotrace_event *e)
{
    struct life *life;
    int r = 0;

    if (e->from == e->to)
        return 0;
    if (e->from == GOTRACE_GO_UNDETERMINED || e->from == GOTRACE_GO_NOT_EXIST)
        r = begin_life(s, e);
    if (r == 0 && e->to == GOTRACE_GO_RUNNING && !s->filters) {
        life = find_life(s, (int64_t)e->args[0]);
        if (life && !life->ran) {
            life->ran = true;
            life->start = e->time;
        }
    }
    if (r == 0 && (e->to == GOTRACE_GO_NOT_EXIST ||
                   (e->to == GOTRACE_GO_WAITING && is_text(s, e->string, "forever"))))
        r = end_life(s, e);
    return r;
}

/* Usually the innermost; the time of its begin tells which. */
static int region_end(struct timing *s, const struct gotrace_event *e)
{
    struct life *life = find_life(s, e->g);
    uint32_t *link = life ? &life->top : NULL;
    int64_t since = (int64_t)((uint64_t)e->time - e->third);

    if (e->args[1] == GOTRACE_UNKNOWN)
        return 0; /* the goroutine has no such region: the program's mistake */
    while (link && *link != NONE && s->regions[*link].start != since)
        link = &s->regions[*link].below;
    if (link && *link != NONE)
        return end_open(s, life, link, e->time);
    return region_counts(s, e) ? spans_add(s->spans, e->g, s->first, e->time) : 0;
}

static int take(struct timing *s, const struct gotrace_event *e)
{
    struct life *life;
    int r = 0;

    if (!s->begun)
        s->first = e->time;
    s->begun = true;
    if (e->kind == GOTRACE_SYNC)
        s->last = e->time;
    if (e->kind == GOTRACE_GO_STATE)
        return go_state(s, e);
    if (!s->filters)
        return 0;
    if (e->kind == GOTRACE_TASK_BEGIN && s->filter->task &&
        is_text(s, e->string, s->filter->task)) {
        r = idmap_add(&s->tasks, e->args[0], 0);
        return r == -EEXIST ? 0 : r;
    }
    if (e->kind == GOTRACE_REGION_BEGIN) {
        r = get_life(s, e->g, &life);
        return r < 0 ? r : push(s, life, e->time, e->args[0], region_counts(s, e));
    }
    return e->kind == GOTRACE_REGION_END ? region_end(s, e) : 0;
}

static int finish(struct timing *s)
{
    int r = 0;

    for (size_t i = 0; i < s->n_lives && r == 0; i++) {
        struct life *life = &s->lives[i];

        while (r == 0 && life->g != GOTRACE_NONE && life->top != NONE)
            r = pop(s, life, s->last);
        if (r == 0 && life->again)
            r = spans_add(s->spans, life->g, life->ran ? life->start : INT64_MIN,
                          life->ended ? life->end : s->last);
    }
    return r < 0 ? r : spans_seal(s->spans);
}

int timing_run(struct gotrace *trace, const struct timing_filter *filter, uint64_t seed,
               struct spans *spans)
{
    struct timing s = {.trace = trace,
                       .filter = filter,
                       .mem = spans->mem,
                       .spans = spans,
                       .filters = filter->task || filter->region,
                       .free_life = NONE,
                       .free_region = NONE};
    const struct gotrace_event *e;
    int code, r = 0;
    size_t n;

    idmap_init(&s.numbers, s.mem, seed | 1);
    idmap_init(&s.tasks, s.mem, seed | 1);
    while (r == 0 && (code = gotrace_next_batch(trace, &e, &n)) > 0)
        for (size_t i = 0; i < n && r == 0; i++)
            r = take(&s, &e[i]);
    if (r == 0)
        r = finish(&s);
    if (r == 0)
        r = code;
    memory_free(s.mem, s.lives, s.lives_cap * sizeof(*s.lives));
    memory_free(s.mem, s.regions, s.regions_cap * sizeof(*s.regions));
    idmap_done(&s.numbers);
    idmap_done(&s.tasks);
    return r;
}
