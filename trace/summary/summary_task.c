/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who works for which task (tasks.h), and the slowest tasks. When a goroutine's state changes, the
 * time in its old state is added to the task that it works for, and to that one's parents.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trace/summary/accumulator.h"
#include "trace/summary/summary.h"

/* Categories of logs by which programs tell a span's id. The first that is contained decides. */
static const struct {
    const char *part;
    enum summary_id id;
    bool binary; /* eight bytes, the least first; else text */
} categories[] = {
    {"datadog.uint64_span_id", SUMMARY_SPAN_ID, true},
    {"traceparent", SUMMARY_TRACEPARENT, false},
    {"trace_id", SUMMARY_TRACE_ID, false},
    {"span_id", SUMMARY_SPAN_ID, false},
};

#define N_CATEGORIES (sizeof(categories) / sizeof(categories[0]))

/* The row of a category, or N_CATEGORIES. */
static size_t category_of(const char *text, size_t len)
{
    size_t i = 0;

    while (i < N_CATEGORIES && !memmem(text, len, categories[i].part, strlen(categories[i].part)))
        i++;
    return i;
}

const char *summary_id_category(const char *text, size_t len)
{
    size_t i = category_of(text, len);

    return i < N_CATEGORIES ? categories[i].part : NULL;
}

/* In waits and syscalls whose purpose it is to wait. */
static bool is_standing(const struct accumulator *s, const struct accumulator_go *g)
{
    return (g->state == GOTRACE_GO_WAITING || g->state == GOTRACE_GO_SYSCALL) &&
           (STACK_SET(s->sites.stacks[g->stack].class) & STACK_STANDING);
}

static void add(struct tasks_work *to, const struct accumulator_go *g, bool standing, int64_t time,
                int64_t assist)
{
    to->assist += assist;
    if (standing) {
        to->standing += time;
        return;
    }
    switch (g->state) {
    case GOTRACE_GO_RUNNING: to->running += time; break;
    case GOTRACE_GO_RUNNABLE: to->runnable += time; break;
    case GOTRACE_GO_SYSCALL: to->syscall += time; break;
    case GOTRACE_GO_WAITING: tasks_add_wait(to, g->reason, time); break;
    default: break;
    }
}

static void tell(const struct accumulator *s, const struct accumulator_go *g,
                 const struct tasks_entry *task, struct watcher_stretch *stretch)
{
    stretch->g = g->id;
    stretch->task = task->id;
    stretch->state = g->state;
    stretch->stack = g->stack;
    stretch->reason =
        g->state == GOTRACE_GO_WAITING ? s->reasons[g->reason].text : (uint32_t)TEXTS_EMPTY;
    s->watcher->worked(s->watcher->userdata, stretch);
}

void accumulator_task_worked(struct accumulator *s, struct accumulator_go *g, int64_t time)
{
    struct tasks_worker *w = tasks_worker(&s->tasks, g->worker);
    struct tasks_entry *task = tasks_get(&s->tasks, w->task);
    int64_t assist = 0, since = w->settled;
    bool standing;

    w->settled = time;
    if (!task && g->regions == 0)
        accumulator_task_quit(s, g);
    if (!task)
        return;
    if (g->flags & ACCUMULATOR_ASSIST)
        assist = time - (g->assist_since > since ? g->assist_since : since);
    standing = is_standing(s, g);
    if (s->watcher && time > since)
        tell(s, g, task,
             &(struct watcher_stretch){
                 .from = since, .to = time, .assist = assist, .standing = standing});
    for (unsigned depth = 0; task && depth <= TASKS_DEPTH; depth++) {
        add(&task->work, g, standing, time - since, assist);
        task = tasks_get(&s->tasks, task->above);
    }
}

bool accumulator_is_at_work(struct accumulator *s, struct accumulator_go *g, uint8_t flags,
                            uint8_t state, int64_t time)
{
    if (flags != 0 || g->state != state)
        return false;
    accumulator_task_worked(s, g, time);
    return true;
}

void accumulator_task_quit(struct accumulator *s, struct accumulator_go *g)
{
    if (g->worker != 0)
        tasks_dismiss(&s->tasks, g->worker);
    g->worker = 0;
}

/* Makes the goroutine a worker if it is none, and adds its time so far. 0, or -ENOMEM; it is still
 * none if there is no place. */
static int hire(struct accumulator *s, struct accumulator_go *g, int64_t time)
{
    if (g->worker == 0)
        return tasks_hire(&s->tasks, g, time, &g->worker);
    accumulator_task_worked(s, g, time);
    return g->worker == 0 ? tasks_hire(&s->tasks, g, time, &g->worker) : 0;
}

/* Adds a task that is mentioned and began before the trace. *ret is NULL if it is no such task, or
 * there is no place. */
static int meet(struct accumulator *s, uint64_t id, struct tasks_entry **ret)
{
    int r;

    *ret = tasks_find(&s->tasks, id);
    if (*ret || id == 0 || id == (uint64_t)GOTRACE_NONE || id >= s->tasks.first)
        return 0;
    r = tasks_add(&s->tasks, id, ret);
    if (r < 0 || !*ret)
        return r;
    (*ret)->parent = (uint64_t)GOTRACE_NONE;
    (*ret)->since = s->first;
    (*ret)->type = TYPES_NONE;
    (*ret)->older = true;
    return 0;
}

/*
 * What the goroutine works for when the task that it begins now is over: what it worked for before,
 * but not another task of its own that has nothing to do with this one. That one it left to others.
 */
static uint32_t outer_of(const struct accumulator *s, const struct accumulator_go *g,
                         const struct tasks_entry *entry)
{
    const struct tasks_entry *before =
        tasks_get(&s->tasks, tasks_worker(&s->tasks, g->worker)->task);

    if (!before)
        return 0;
    if (before->owner != g->id || tasks_is_below(&s->tasks, entry, before->ref))
        return before->ref;
    return before->outer;
}

static int own(struct accumulator *s, struct tasks_entry *entry, int64_t id, int64_t time)
{
    struct accumulator_go *g = accumulator_go_find(s, id);
    int r = g ? hire(s, g, time) : 0;

    entry->owner = id;
    if (r < 0 || !g || g->worker == 0)
        return r;
    entry->outer = outer_of(s, g, entry);
    tasks_work_for(&s->tasks, g->worker, entry);
    return 0;
}

int accumulator_task_begin(struct accumulator *s, const struct gotrace_event *e, uint32_t type)
{
    struct tasks_entry *parent, *entry;
    uint32_t above;
    int r;

    if (e->args[0] < s->tasks.first)
        s->tasks.first = e->args[0];
    r = meet(s, e->args[1], &parent);
    if (r < 0)
        return r;
    above = parent ? parent->ref : 0;
    r = tasks_add(&s->tasks, e->args[0], &entry);
    if (r < 0 || !entry)
        return r;
    parent = tasks_get(&s->tasks, above); /* the list may have moved */
    if (parent)
        parent->n_below++;
    types_hold(&s->task_types, type);
    entry->type = type;
    entry->parent = e->args[1];
    entry->above = above;
    entry->since = e->time;
    r = sites_of(&s->sites, s->trace, e->stack, &entry->stack);
    return r < 0 ? r : own(s, entry, e->g, e->time);
}

static void settle_one(struct accumulator *s, const struct tasks_entry *entry, int64_t id,
                       int64_t time)
{
    struct accumulator_go *g = accumulator_go_find(s, id);

    if (g && g->worker != 0 &&
        tasks_is_below(&s->tasks, tasks_get(&s->tasks, tasks_worker(&s->tasks, g->worker)->task),
                       entry->ref))
        accumulator_task_worked(s, g, time);
}

/* Adds what goroutines do for a task up to now, as it ends: its owner, and all others if it is one
 * of the slowest, or others work for it or for a task below it that outlives it. */
static void settle(struct accumulator *s, const struct tasks_entry *entry, int64_t time,
                   bool slowest)
{
    struct tasks *t = &s->tasks;

    settle_one(s, entry, entry->owner, time);
    if ((!slowest && entry->n_workers <= 1 && entry->n_below == 0) ||
        !tasks_may_look(t, t->n_workers))
        return;
    for (uint32_t i = 0; i < t->n_workers; i++)
        if (t->workers[i].g)
            settle_one(s, entry, t->workers[i].g->id, time);
}

/* Adds a task to the slowest, with what is known of it. */
static void keep(struct accumulator *s, const struct outlier *o, const struct tasks_entry *entry)
{
    uint32_t place = outliers_add(&s->slow, SUMMARY_SLOW_TASKS, o);
    struct tasks_kept *kept;

    if (place == OUTLIERS_NO_PLACE)
        return;
    kept = &s->slow_tasks[place];
    memset(kept, 0, sizeof(*kept));
    if (!entry)
        return;
    kept->known = true;
    kept->work = entry->work;
    if (entry->ids)
        kept->ids = *entry->ids;
}

/* The owner goes back to what it did before. */
static void release(struct accumulator *s, const struct tasks_entry *entry)
{
    struct accumulator_go *g = accumulator_go_find(s, entry->owner);

    if (!g || g->worker == 0 || tasks_worker(&s->tasks, g->worker)->task != entry->ref)
        return;
    tasks_work_for(&s->tasks, g->worker, tasks_get(&s->tasks, entry->outer));
    if (tasks_worker(&s->tasks, g->worker)->task == 0 && g->regions == 0)
        accumulator_task_quit(s, g);
}

/* A task from before the trace must be known again, so that nothing that still mentions it takes it
 * for one that is open. */
static int end_older(struct accumulator *s, uint64_t id, struct tasks_entry *entry)
{
    int r = entry ? 0 : meet(s, id, &entry);

    if (r < 0 || !entry || entry->over)
        return r;
    tasks_close(entry);
    return 0;
}

static int note(struct accumulator *s, const struct gotrace_event *e,
                const struct tasks_entry *entry, int64_t duration)
{
    struct outlier o = {.since = e->time - duration,
                        .duration = duration,
                        .g = entry && entry->owner != GOTRACE_NONE ? entry->owner : e->g,
                        .task = e->args[0],
                        .parent = e->args[1],
                        .at_start = e->third == GOTRACE_UNKNOWN};
    int r = texts_of(&s->texts, s->trace, e->string, &o.text);

    if (entry && !entry->older)
        o.stack = entry->stack;
    else if (r == 0)
        r = sites_of(&s->sites, s->trace, e->stack, &o.stack);
    if (r < 0)
        return r;
    keep(s, &o, entry);
    return 0;
}

int accumulator_task_end(struct accumulator *s, const struct gotrace_event *e)
{
    struct tasks_entry *entry = tasks_find(&s->tasks, e->args[0]);
    bool older = e->third == GOTRACE_UNKNOWN, slowest;
    int64_t duration = older ? e->time - s->first : (int64_t)e->third;
    int r = 0;

    if (entry && entry->over)
        return 0;
    slowest = duration > s->slow.floors[SUMMARY_SLOW_TASKS];
    if (entry)
        settle(s, entry, e->time,
               slowest || (s->watcher && s->watcher->wants(s->watcher->userdata, entry->id)));
    if (slowest)
        r = note(s, e, entry, duration);
    if (r < 0)
        return r;
    if (entry)
        release(s, entry);
    if (older)
        return end_older(s, e->args[0], entry);
    if (!entry)
        return 0;
    types_release(&s->task_types, entry->type);
    tasks_remove(&s->tasks, entry);
    return 0;
}

int accumulator_task_enter(struct accumulator *s, struct accumulator_go *g, uint64_t task,
                           int64_t time, struct accumulator_open *region)
{
    struct tasks_entry *entry;
    int r = meet(s, task, &entry);

    if (r < 0 || !entry || entry->over)
        return r;
    r = hire(s, g, time);
    if (r < 0 || g->worker == 0 || tasks_worker(&s->tasks, g->worker)->task == entry->ref)
        return r;
    region->task = entry->ref;
    region->before = tasks_worker(&s->tasks, g->worker)->task;
    tasks_work_for(&s->tasks, g->worker, entry);
    return 0;
}

void accumulator_task_leave(struct accumulator *s, struct accumulator_go *g,
                            const struct accumulator_open *region, int64_t time)
{
    if (g->worker == 0)
        return;
    accumulator_task_worked(s, g, time);
    if (g->worker == 0)
        return;
    if (region->task != 0 && tasks_worker(&s->tasks, g->worker)->task == region->task)
        tasks_work_for(&s->tasks, g->worker, tasks_get(&s->tasks, region->before));
    if (tasks_worker(&s->tasks, g->worker)->task == 0 && g->regions == 0)
        accumulator_task_quit(s, g);
}

/* As internal/trace's IsSystemGoroutine, by the function that the goroutine starts with. */
static bool is_of_runtime(const struct accumulator *s, uint32_t stack)
{
    const struct gotrace_frame *frame;
    size_t n, len = 0;
    const uint32_t *frames = gotrace_stack(s->trace, stack, &n);
    const char *func;

    frame = n > 0 ? gotrace_frame(s->trace, frames[n - 1]) : NULL;
    func = frame ? gotrace_string(s->trace, frame->func, &len) : "";
    if (len == 0)
        return true;
    if (len == strlen("runtime.main") && memcmp(func, "runtime.main", len) == 0)
        return false;
    return len > strlen("runtime.") && memcmp(func, "runtime.", strlen("runtime.")) == 0;
}

int accumulator_task_inherit(struct accumulator *s, const struct gotrace_event *e,
                             struct accumulator_go *g)
{
    const struct accumulator_go *by = accumulator_go_find(s, e->g);
    struct tasks_entry *task;
    int r;

    if (!by || by->worker == 0)
        return 0;
    task = tasks_get(&s->tasks, tasks_worker(&s->tasks, by->worker)->task);
    if (!task || is_of_runtime(s, e->new_stack))
        return 0;
    r = hire(s, g, e->time);
    if (r == 0 && g->worker != 0)
        tasks_work_for(&s->tasks, g->worker, task);
    if (r == 0 && s->watcher && s->watcher->wants(s->watcher->userdata, task->id))
        r = s->watcher->marked(s->watcher->userdata, &s->sites, s->trace, e);
    return r;
}

/* Keeps an id if it is in the form that the category has. */
static void set_id(struct tasks_ids *ids, size_t category, const char *text, size_t len)
{
    char *to = ids->text[categories[category].id];

    if (categories[category].binary) {
        uint64_t value = 0;

        for (size_t i = 8; i-- > 0 && len == 8;)
            value = value << 8 | (uint8_t)text[i];
        if (len == 8)
            (void)snprintf(to, SUMMARY_ID_SIZE, "%" PRIu64, value);
        return;
    }
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return;
    if (len == 0 || len >= SUMMARY_ID_SIZE)
        return;
    memcpy(to, text, len);
    to[len] = '\0';
}

int accumulator_task_log(struct accumulator *s, const struct gotrace_event *e)
{
    struct tasks_entry *entry;
    size_t len, category;
    const char *text = gotrace_string(s->trace, e->string, &len);
    int r;

    category = category_of(text, len);
    handles_set(&s->id_kinds, e->string,
                category < N_CATEGORIES ? categories[category].id : SUMMARY_N_IDS);
    if (category == N_CATEGORIES)
        return 0;
    r = meet(s, e->args[0], &entry);
    if (r == 0 && entry && !entry->ids)
        r = memory_new(&s->mem, sizeof(*entry->ids), &entry->ids);
    if (r < 0 || !entry)
        return r == -E2BIG ? 0 : r;
    text = gotrace_string(s->trace, e->message, &len);
    set_id(entry->ids, category, text, len);
    return 0;
}

static int note_open(struct accumulator *s, const struct tasks_entry *entry)
{
    const struct type *type = types_get(&s->task_types, entry->type);
    struct outlier o = {.since = entry->since,
                        .duration = s->last - entry->since,
                        .g = entry->owner,
                        .task = entry->id,
                        .parent = entry->parent,
                        .stack = entry->stack,
                        .open = true,
                        .at_start = entry->older};
    int r = 0;

    if (o.duration <= s->slow.floors[SUMMARY_SLOW_TASKS])
        return 0;
    if (type->text)
        r = texts_add(&s->texts, type->text, type->len, &o.text);
    if (r < 0)
        return r;
    keep(s, &o, entry);
    return 0;
}

int accumulator_task_finish(struct accumulator *s)
{
    struct tasks *t = &s->tasks;
    int r = 0;

    for (uint32_t i = 0; i < t->n_workers; i++)
        if (t->workers[i].g)
            accumulator_task_worked(s, t->workers[i].g, s->last);
    for (uint32_t i = 0; r == 0 && i < t->n; i++)
        if (t->list[i].taken && !t->list[i].over)
            r = note_open(s, &t->list[i]);
    s->out->lost_tasks = t->lost;
    s->out->lost_workers = t->lost_workers;
    return r;
}
