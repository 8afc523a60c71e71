/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trees/wanted.h"

#include <errno.h>
#include <string.h>

#define NONE UINT32_MAX
#define NO_TASK ((uint64_t)GOTRACE_NONE)

/* A task that has not ended; or one from before the trace, which may be over, so that nothing that
 * still mentions it takes it for one that is not. */
struct wanted_open {
    uint64_t id;
    int64_t since;
    uint32_t next_free;
    bool used, over;
    bool fits; /* by parent and type */
    bool of_span;
};

void wanted_init(struct wanted *w, const struct wanted_query *query, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->query = *query;
    w->mem.max = SIZE_MAX; /* WANTED_OPEN_MAX is what bounds it */
    w->least = UINT64_MAX;
    w->free = NONE;
    idmap_init(&w->numbers, &w->mem, seed);
}

void wanted_done(struct wanted *w)
{
    idmap_done(&w->numbers);
    memory_free(&w->mem, w->open, w->open_cap * sizeof(*w->open));
}

/* Puts a task into the list if it is one of the slowest. */
static void offer(struct wanted *w, const struct wanted_task *task)
{
    size_t i;

    w->matches++;
    if (w->n == w->query.limit && (w->n == 0 || w->list[w->n - 1].duration >= task->duration))
        return;
    if (w->n < w->query.limit)
        w->n++;
    for (i = w->n - 1; i > 0 && w->list[i - 1].duration < task->duration; i--)
        w->list[i] = w->list[i - 1];
    w->list[i] = *task;
}

/* Whether a task with this parent and type is wanted, unless it is by its span. */
static bool fits(const struct wanted *w, const struct gotrace *trace, uint64_t id, uint64_t parent,
                 uint32_t type)
{
    const struct wanted_query *q = &w->query;
    const char *text;
    size_t n;

    if (q->by_id && id != q->id)
        return false;
    if (!q->type)
        return q->by_id || q->span || parent == NO_TASK;
    text = gotrace_string(trace, type, &n);
    return memmem(text, n, q->type, strlen(q->type)) != NULL;
}

static bool names_span(const struct wanted *w, const struct gotrace *trace, uint32_t type)
{
    const char *text;
    size_t n;

    if (!w->query.span || type == 0)
        return !w->query.span;
    text = gotrace_string(trace, type, &n);
    return spanid_is_in(w->query.span, text, n);
}

static int add(struct wanted *w, uint64_t id, uint32_t *ret)
{
    uint32_t i = w->free;
    int r = 0;

    *ret = NONE;
    if (i == NONE) {
        if (w->n_open == WANTED_OPEN_MAX) {
            w->left_out++;
            return 0;
        }
        r = memory_grow(&w->mem, &w->open, &w->open_cap, w->n_open + 1, sizeof(*w->open));
        i = w->n_open;
    }
    if (r == 0)
        r = idmap_add(&w->numbers, id, i);
    if (r < 0)
        return r == -EEXIST ? 0 : r;
    if (i == w->n_open)
        w->n_open++;
    else
        w->free = w->open[i].next_free;
    w->open[i] = (struct wanted_open){.id = id, .used = true};
    *ret = i;
    return 0;
}

/* The task with this number, which is older than the trace if it is not known. NONE: it is none, or
 * there is no place. */
static int meet(struct wanted *w, const struct gotrace *trace, uint64_t id, uint32_t *ret)
{
    int r;

    *ret = idmap_find(&w->numbers, id);
    if (*ret != NONE || id == 0 || id == NO_TASK || id >= w->least)
        return 0;
    r = add(w, id, ret);
    if (r < 0 || *ret == NONE)
        return r;
    w->tasks++;
    w->open[*ret].since = WANTED_OLDER;
    w->open[*ret].fits = fits(w, trace, id, NO_TASK, 0);
    w->open[*ret].of_span = !w->query.span;
    return 0;
}

static int begin(struct wanted *w, const struct gotrace *trace, const struct gotrace_event *e)
{
    uint32_t i;
    int r;

    if (e->args[0] < w->least)
        w->least = e->args[0];
    r = meet(w, trace, e->args[1], &i);
    w->tasks++;
    if (r == 0)
        r = add(w, e->args[0], &i);
    if (r < 0 || i == NONE)
        return r;
    w->open[i].since = e->time;
    w->open[i].fits = fits(w, trace, e->args[0], e->args[1], e->string);
    w->open[i].of_span = names_span(w, trace, e->string);
    return 0;
}

static void end_of(struct wanted *w, const struct wanted_open *task, int64_t time, bool open)
{
    int64_t since = task->since == WANTED_OLDER ? w->first : task->since;

    if (task->fits && task->of_span)
        offer(w, &(struct wanted_task){task->id, task->since, time - since, open});
}

static int end(struct wanted *w, const struct gotrace *trace, const struct gotrace_event *e)
{
    bool older = e->third == GOTRACE_UNKNOWN;
    struct wanted_open rest;
    uint32_t i;
    int r = meet(w, trace, e->args[0], &i);

    if (r < 0)
        return r;
    if (i == NONE) { /* there was no place for it, and what its logs said is forgotten */
        rest = (struct wanted_open){.id = e->args[0], .of_span = names_span(w, trace, e->string)};
        rest.since = older ? WANTED_OLDER : e->time - (int64_t)e->third;
        rest.fits = fits(w, trace, e->args[0], e->args[1], e->string);
        end_of(w, &rest, e->time, false);
        w->left_out -= w->left_out > 0;
        return 0;
    }
    if (!w->open[i].over)
        end_of(w, &w->open[i], e->time, false);
    w->open[i].over = true;
    if (older)
        return 0;
    idmap_remove(&w->numbers, e->args[0]);
    w->open[i] = (struct wanted_open){.next_free = w->free};
    w->free = i;
    return 0;
}

static int log_event(struct wanted *w, const struct gotrace *trace, const struct gotrace_event *e)
{
    const char *category, *message;
    size_t n_category, n_message;
    uint32_t i;
    int r = meet(w, trace, e->args[0], &i);

    if (r < 0 || i == NONE || w->open[i].of_span)
        return r;
    category = gotrace_string(trace, e->string, &n_category);
    message = gotrace_string(trace, e->message, &n_message);
    w->open[i].of_span = spanid_is_logged(w->query.span, category, n_category, message, n_message);
    return 0;
}

static int take(struct wanted *w, const struct gotrace *trace, const struct gotrace_event *e)
{
    uint32_t i;

    switch (e->kind) {
    case GOTRACE_TASK_BEGIN: return begin(w, trace, e);
    case GOTRACE_TASK_END: return end(w, trace, e);
    case GOTRACE_LOG: return log_event(w, trace, e);
    case GOTRACE_REGION_BEGIN: return meet(w, trace, e->args[0], &i);
    default: return 0;
    }
}

int wanted_run(struct wanted *w, struct gotrace *trace)
{
    const struct gotrace_event *e;
    int code, r = 0;
    size_t n;

    while ((code = gotrace_next_batch(trace, &e, &n)) > 0) {
        if (!w->begun && n > 0)
            w->first = e->time;
        w->begun = w->begun || n > 0;
        for (size_t i = 0; i < n && r == 0; i++)
            r = take(w, trace, &e[i]);
        if (r < 0)
            return r;
        if (n > 0)
            w->last = e[n - 1].time;
    }
    for (uint32_t i = 0; i < w->n_open; i++)
        if (w->open[i].used && !w->open[i].over)
            end_of(w, &w->open[i], w->last, true);
    return code;
}
