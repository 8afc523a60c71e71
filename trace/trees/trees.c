/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trees/trees.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trace/summary/sites.h"
#include "trace/summary/tasks.h"

static bool wants(void *userdata, uint64_t task)
{
    const struct trees *t = userdata;

    return idmap_find(&t->nodes, task) != IDMAP_NONE;
}

static struct trees_node *node_of(const struct trees *t, uint64_t task)
{
    uint32_t n = idmap_find(&t->nodes, task);

    return n == IDMAP_NONE ? NULL : &t->list[n];
}

static struct trees_work no_work(void)
{
    return (struct trees_work){.parts = TREES_NONE};
}

/* Of an array that is full or has no memory left there is no more; memory.h remembers the latter. */
static bool grow(struct trees *t, void *list, size_t *cap, uint32_t n, uint32_t max, size_t size)
{
    return n < max && memory_grow(&t->mem, list, cap, n + 1U, size) == 0;
}

static int no_memory(const struct trees *t)
{
    return t->mem.failed ? -ENOMEM : 0;
}

/* Adds a node below `above`, or as a root. NULL if there is no place. */
static struct trees_node *add_node(struct trees *t, uint64_t id, uint64_t parent, uint32_t above)
{
    struct trees_node *node;

    if (!grow(t, &t->list, &t->cap, t->n, TREES_NODES_MAX, sizeof(*t->list))) {
        t->lost_nodes++;
        return NULL;
    }
    (void)idmap_remove(&t->nodes, id);
    if (idmap_add(&t->nodes, id, t->n) < 0) {
        t->lost_nodes++;
        return NULL;
    }
    node = &t->list[t->n];
    *node = (struct trees_node){.id = id,
                                .parent = parent,
                                .above = above,
                                .below = TREES_NONE,
                                .next = TREES_NONE,
                                .last_below = TREES_NONE,
                                .open = true,
                                .g = GOTRACE_NONE,
                                .workers = TREES_NONE,
                                .last_worker = TREES_NONE,
                                .marks = TREES_NONE,
                                .last_mark = TREES_NONE,
                                .work = no_work()};
    if (above != TREES_NONE && t->list[above].below == TREES_NONE)
        t->list[above].below = t->n;
    else if (above != TREES_NONE)
        t->list[t->list[above].last_below].next = t->n;
    if (above != TREES_NONE)
        t->list[above].last_below = t->n;
    t->n++;
    return node;
}

static bool is_wanted(const struct trees *t, uint64_t id, int64_t since)
{
    if (idmap_find(&t->wanted_ids, id) == IDMAP_NONE)
        return false;
    for (size_t i = 0; i < t->wanted->n; i++)
        if (t->wanted->list[i].id == id && t->wanted->list[i].since == since)
            return true;
    return false;
}

/* The node of a task that is mentioned, which may be a wanted one from before the trace. */
static struct trees_node *meet(struct trees *t, uint64_t id)
{
    struct trees_node *node = node_of(t, id);

    if (node || !is_wanted(t, id, WANTED_OLDER))
        return node;
    node = add_node(t, id, (uint64_t)GOTRACE_NONE, TREES_NONE);
    if (node)
        node->at_start = true;
    return node;
}

static int begin_task(struct trees *t, struct sites *sites, const struct gotrace *trace,
                      const struct gotrace_event *e)
{
    struct trees_node *above = meet(t, e->args[1]), *node;
    int r;

    if (!above && !is_wanted(t, e->args[0], e->time))
        return 0;
    node = add_node(t, e->args[0], e->args[1], above ? (uint32_t)(above - t->list) : TREES_NONE);
    if (!node)
        return no_memory(t);
    node->since = e->time;
    node->g = e->g;
    r = texts_of(sites->texts, trace, e->string, &node->type);
    return r < 0 ? r : sites_of(sites, trace, e->stack, &node->stack);
}

static void end_task(struct trees *t, const struct gotrace_event *e)
{
    struct trees_node *node = meet(t, e->args[0]);

    if (!node || node->over)
        return;
    node->over = true;
    node->open = false;
    /* One from before the trace gets its time at the end, when the trace's begin is known. */
    node->duration = node->at_start ? e->time : e->time - node->since;
}

static struct trees_mark *add_mark(struct trees *t, struct trees_node *node)
{
    struct trees_mark *mark;

    if (!grow(t, &t->marks, &t->marks_cap, t->n_marks, TREES_MARKS_MAX, sizeof(*t->marks))) {
        t->lost_marks++;
        return NULL;
    }
    mark = &t->marks[t->n_marks];
    *mark = (struct trees_mark){.next = TREES_NONE};
    if (node->marks == TREES_NONE)
        node->marks = t->n_marks;
    else
        t->marks[node->last_mark].next = t->n_marks;
    node->last_mark = t->n_marks++;
    node->n_marks++;
    return mark;
}

static int fill_mark(struct trees_mark *mark, struct sites *sites, const struct gotrace *trace,
                     const struct gotrace_event *e)
{
    int r = texts_of(sites->texts, trace, e->string, &mark->type);

    mark->g = e->g;
    mark->since = e->time;
    return r < 0 ? r : sites_of(sites, trace, e->stack, &mark->stack);
}

static int log_event(struct trees *t, struct sites *sites, const struct gotrace *trace,
                     const struct gotrace_event *e)
{
    struct trees_node *node = meet(t, e->args[0]);
    struct trees_mark *mark = node ? add_mark(t, node) : NULL;
    char number[24];
    const char *category, *text;
    size_t n_category;
    uint64_t value;
    int r;

    if (!mark)
        return no_memory(t);
    mark->log = true;
    category = gotrace_string(trace, e->string, &n_category);
    text = gotrace_string(trace, e->message, &mark->n_message);
    if (spanid_binary(category, n_category, text, mark->n_message, &value)) {
        text = number;
        mark->n_message = (size_t)snprintf(number, sizeof(number), "%" PRIu64, value);
    }
    if (mark->n_message > TREES_LOG_MAX)
        mark->n_message = TREES_LOG_MAX;
    r = arena_new(&sites->texts->arena, mark->n_message + 1, &mark->message);
    if (r < 0)
        return r;
    memcpy((char *)(uintptr_t)mark->message, text, mark->n_message);
    return fill_mark(mark, sites, trace, e);
}

static int begin_region(struct trees *t, struct sites *sites, const struct gotrace *trace,
                        const struct gotrace_event *e)
{
    struct trees_node *node = meet(t, e->args[0]);
    struct trees_mark *mark = node ? add_mark(t, node) : NULL;

    if (!mark)
        return no_memory(t);
    mark->open = true;
    return fill_mark(mark, sites, trace, e);
}

static int end_region(struct trees *t, struct sites *sites, const struct gotrace *trace,
                      const struct gotrace_event *e)
{
    struct trees_node *node = meet(t, e->args[0]);
    struct trees_mark *mark;

    if (!node || e->args[1] == GOTRACE_UNKNOWN)
        return 0;
    if (e->third == GOTRACE_UNKNOWN) { /* it began before the trace */
        mark = add_mark(t, node);
        if (!mark)
            return no_memory(t);
        mark->at_start = true;
        return fill_mark(mark, sites, trace, e);
    }
    for (uint32_t i = node->marks; i != TREES_NONE; i = t->marks[i].next) {
        mark = &t->marks[i];
        if (!mark->log && mark->open && mark->g == e->g &&
            mark->since == e->time - (int64_t)e->third) {
            mark->open = false;
            mark->duration = (int64_t)e->third;
        }
    }
    return 0;
}

/* A goroutine is created that works for a task: its start function is the outermost one. */
static int created(struct trees *t, struct sites *sites, const struct gotrace *trace,
                   const struct gotrace_event *e)
{
    size_t n;
    const uint32_t *row = gotrace_stack(trace, e->new_stack, &n);
    const struct gotrace_frame *frame = n > 0 ? gotrace_frame(trace, row[n - 1]) : NULL;
    uint32_t name;
    int r;

    if (!frame || t->names.n >= TREES_WORKERS_MAX)
        return 0;
    r = texts_of(sites->texts, trace, (uint32_t)frame->func, &name);
    if (r < 0)
        return r;
    (void)idmap_remove(&t->names, e->args[0]);
    r = idmap_add(&t->names, e->args[0], name);
    return r == -E2BIG ? 0 : r;
}

static int marked(void *userdata, struct sites *sites, const struct gotrace *trace,
                  const struct gotrace_event *e)
{
    struct trees *t = userdata;
    int r = 0;

    switch (e->kind) {
    case GOTRACE_TASK_BEGIN: r = begin_task(t, sites, trace, e); break;
    case GOTRACE_TASK_END: end_task(t, e); break;
    case GOTRACE_LOG: r = log_event(t, sites, trace, e); break;
    case GOTRACE_REGION_BEGIN: r = begin_region(t, sites, trace, e); break;
    case GOTRACE_REGION_END: r = end_region(t, sites, trace, e); break;
    case GOTRACE_GO_STATE: r = created(t, sites, trace, e); break;
    default: break;
    }
    return r < 0 ? r : no_memory(t);
}

static enum trees_kind kind_of(const struct watcher_stretch *s)
{
    if (s->standing)
        return TREES_STANDING;
    switch (s->state) {
    case GOTRACE_GO_RUNNING: return TREES_RUNNING;
    case GOTRACE_GO_RUNNABLE: return TREES_RUNNABLE;
    case GOTRACE_GO_SYSCALL: return TREES_SYSCALL;
    default: return TREES_WAIT;
    }
}

/* The part of such time. With no place for another one, it is that without a site; NULL if there is
 * none of that either: it is in the sum of its kind alone. */
static struct trees_part *part_of(struct trees *t, struct trees_work *work, enum trees_kind kind,
                                  uint32_t reason, uint32_t stack)
{
    struct trees_part *part;

    for (uint32_t i = work->parts; i != TREES_NONE; i = t->parts[i].next) {
        part = &t->parts[i];
        if (part->kind == kind && part->reason == reason && part->stack == stack)
            return part;
    }
    if ((work->n_parts >= TREES_PARTS_OF_ONE && stack != SITES_NO_STACK))
        return part_of(t, work, kind, reason, SITES_NO_STACK);
    if (work->n_parts >= 2 * TREES_PARTS_OF_ONE ||
        !grow(t, &t->parts, &t->parts_cap, t->n_parts, TREES_PARTS_MAX, sizeof(*t->parts)))
        return NULL;
    part = &t->parts[t->n_parts];
    *part =
        (struct trees_part){.kind = kind, .reason = reason, .stack = stack, .next = work->parts};
    work->parts = t->n_parts++;
    work->n_parts++;
    return part;
}

static void add_work(struct trees *t, struct trees_work *work, const struct watcher_stretch *s)
{
    enum trees_kind kind = kind_of(s);
    bool placed = kind != TREES_RUNNING && kind != TREES_RUNNABLE;
    struct trees_part *part = placed ? part_of(t, work, kind, s->reason, s->stack) : NULL;

    work->ns[kind] += s->to - s->from;
    work->assist += s->assist;
    if (part)
        part->ns += s->to - s->from;
}

/* The goroutine's place among those that work for a task; NULL if there is none. */
static struct trees_worker *worker_of(struct trees *t, struct trees_node *node, int64_t g)
{
    uint64_t pair = (uint64_t)(node - t->list) << 40 ^ (uint64_t)g;
    uint32_t n = idmap_find(&t->pairs, pair);
    struct trees_worker *worker;

    if (n != IDMAP_NONE)
        return t->workers[n].g == g ? &t->workers[n] : NULL;
    if (!grow(t, &t->workers, &t->workers_cap, t->n_workers, TREES_WORKERS_MAX,
              sizeof(*t->workers)) ||
        idmap_add(&t->pairs, pair, t->n_workers) < 0)
        return NULL;
    worker = &t->workers[t->n_workers];
    *worker = (struct trees_worker){.g = g, .next = TREES_NONE, .work = no_work()};
    if (node->workers == TREES_NONE)
        node->workers = t->n_workers;
    else
        t->workers[node->last_worker].next = t->n_workers;
    node->last_worker = t->n_workers++;
    node->n_workers++;
    return worker;
}

static void worked(void *userdata, const struct watcher_stretch *s)
{
    struct trees *t = userdata;
    struct trees_node *node = meet(t, s->task);
    struct trees_worker *worker = node ? worker_of(t, node, s->g) : NULL;

    if (!node)
        return;
    if (worker) {
        add_work(t, &worker->work, s);
        if (s->state == GOTRACE_GO_WAITING || s->state == GOTRACE_GO_SYSCALL)
            worker->stack = s->stack;
    } else {
        t->lost_workers++;
    }
    for (unsigned depth = 0; node && !node->over && depth <= TASKS_DEPTH; depth++) {
        add_work(t, &node->work, s);
        node = node->above == TREES_NONE ? NULL : &t->list[node->above];
    }
}

static enum summary_profile profile_of(const struct trees_part *part)
{
    if (part->kind == TREES_SYSCALL || (part->kind == TREES_STANDING && !*part->why))
        return SUMMARY_SYSCALL;
    return strcmp(part->why, "network") == 0 ? SUMMARY_NET : SUMMARY_SYNC;
}

static void name_parts(struct trees *t, const struct sites *sites)
{
    for (uint32_t i = 0; i < t->n_parts; i++) {
        struct trees_part *part = &t->parts[i];

        part->why = texts_get(sites->texts, part->reason);
        part->site = sites_frame(sites, part->stack, profile_of(part));
        part->own = sites_own(sites, part->stack, profile_of(part));
    }
}

static void name_workers(struct trees *t, const struct sites *sites)
{
    for (uint32_t i = 0; i < t->n_workers; i++) {
        struct trees_worker *worker = &t->workers[i];
        uint32_t name = idmap_find(&t->names, (uint64_t)worker->g);

        worker->name = name != IDMAP_NONE ? texts_get(sites->texts, name)
                                          : sites_outermost(sites, worker->stack);
    }
}

/* A worker that never waited: what it began or logged tells its stack, too. */
static void name_by_marks(struct trees *t, const struct sites *sites, const struct trees_node *node)
{
    for (uint32_t i = node->workers; i != TREES_NONE; i = t->workers[i].next) {
        struct trees_worker *worker = &t->workers[i];

        if (!*worker->name && worker->g == node->g)
            worker->name = sites_outermost(sites, node->stack);
        for (uint32_t k = node->marks; !*worker->name && k != TREES_NONE; k = t->marks[k].next)
            if (t->marks[k].g == worker->g)
                worker->name = sites_outermost(sites, t->marks[k].stack);
    }
}

static void name_marks(struct trees *t, const struct sites *sites)
{
    for (uint32_t i = 0; i < t->n_marks; i++) {
        struct trees_mark *mark = &t->marks[i];

        mark->name = texts_get(sites->texts, mark->type);
        mark->site = sites_frame(sites, mark->stack, SUMMARY_SYNC);
        mark->own = sites_own(sites, mark->stack, SUMMARY_SYNC);
        if (mark->at_start) {
            mark->duration = mark->since - t->first;
            mark->since = t->first;
        } else if (mark->open) {
            mark->duration = t->last - mark->since;
        }
    }
}

static void name_nodes(struct trees *t, const struct sites *sites)
{
    for (uint32_t i = 0; i < t->n; i++) {
        struct trees_node *node = &t->list[i];

        node->name = texts_get(sites->texts, node->type);
        node->site = sites_frame(sites, node->stack, SUMMARY_SYNC);
        node->own = sites_own(sites, node->stack, SUMMARY_SYNC);
        if (node->at_start) {
            node->duration = (node->open ? t->last : node->duration) - t->first;
            node->since = t->first;
        } else if (node->open) {
            node->duration = t->last - node->since;
        }
        name_by_marks(t, sites, node);
    }
}

static int finish(void *userdata, const struct sites *sites, int64_t first, int64_t last)
{
    struct trees *t = userdata;

    t->first = first;
    t->last = last;
    name_parts(t, sites);
    name_workers(t, sites);
    name_marks(t, sites);
    name_nodes(t, sites);
    return no_memory(t);
}

int trees_init(struct trees *t, const struct wanted *wanted, uint64_t seed)
{
    int r = 0;

    memset(t, 0, sizeof(*t));
    t->mem.max = SIZE_MAX; /* the numbers of nodes and so on bound it */
    t->wanted = wanted;
    idmap_init(&t->nodes, &t->mem, seed);
    idmap_init(&t->pairs, &t->mem, seed);
    idmap_init(&t->names, &t->mem, seed);
    idmap_init(&t->wanted_ids, &t->mem, seed);
    for (size_t i = 0; i < wanted->n && (r == 0 || r == -EEXIST); i++)
        r = idmap_add(&t->wanted_ids, wanted->list[i].id, 0);
    return r == -EEXIST ? 0 : r;
}

void trees_done(struct trees *t)
{
    summary_done(&t->summary);
    idmap_done(&t->nodes);
    idmap_done(&t->pairs);
    idmap_done(&t->names);
    idmap_done(&t->wanted_ids);
    memory_free(&t->mem, t->list, t->cap * sizeof(*t->list));
    memory_free(&t->mem, t->workers, t->workers_cap * sizeof(*t->workers));
    memory_free(&t->mem, t->parts, t->parts_cap * sizeof(*t->parts));
    memory_free(&t->mem, t->marks, t->marks_cap * sizeof(*t->marks));
}

int trees_run(struct trees *t, struct gotrace *trace)
{
    const struct watcher watcher = {t, wants, marked, worked, finish};

    return summary_watch(trace, &watcher, &t->summary);
}

const struct trees_node *trees_root(const struct trees *t, const struct wanted_task *task)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const struct trees_node *node = &t->list[i];
        bool same = task->since == WANTED_OLDER ? node->at_start : node->since == task->since;

        if (node->id == task->id && same && node->above == TREES_NONE)
            return node;
    }
    return NULL;
}
