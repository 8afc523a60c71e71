/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/alive.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "trace/goroutines/whereabouts.h"
#include "trace/goroutines/start.h"
#include "trace/goroutines/times.h"

#define NONE UINT32_MAX

/* A goroutine. */
struct being {
    int64_t g;
    int64_t since;   /* in its state */
    int64_t created; /* if not `older` */
    uint32_t stack, reason, name, creator;
    uint32_t next_free;
    uint8_t state;
    bool older, used;
    struct { /* where one that is older was at the beginning */
        uint32_t stack, reason;
        uint8_t state;
    } start;
};

struct alive {
    struct memory mem;
    struct texts texts;
    struct sites sites;
    struct whereabouts places;
    struct idmap numbers;
    struct being *list;
    size_t cap;
    uint32_t n, free;
    int64_t wanted; /* the moment, from the beginning */
    bool begun, over;
    int64_t first, last, at;
    uint64_t at_start, count, created, ended, left_out, ungrouped;
    struct whereabouts_group *groups;
    size_t n_groups;
};

static int prepare(struct alive *a)
{
    uint64_t seed;
    int r;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
        seed = 0x9e3779b97f4a7c15U;
    seed |= 1;
    a->mem.max = ALIVE_MAX_MEMORY;
    a->free = NONE;
    idmap_init(&a->numbers, &a->mem, seed);
    whereabouts_init(&a->places, &a->mem, seed);
    r = texts_init(&a->texts, &a->mem, seed);
    return r < 0 ? r : sites_init(&a->sites, &a->texts, &a->mem, seed);
}

int alive_new(int64_t at, struct alive **ret)
{
    struct alive *a = calloc(1, sizeof(*a));
    int r = a ? prepare(a) : -ENOMEM;

    if (r < 0) {
        alive_free(a);
        return -ENOMEM;
    }
    a->wanted = at;
    *ret = a;
    return 0;
}

void alive_free(struct alive *a)
{
    if (!a)
        return;
    whereabouts_release(a->groups, a->n_groups);
    if (a->sites.mem)
        sites_done(&a->sites);
    texts_done(&a->texts);
    arena_free(a->texts.arena);
    whereabouts_done(&a->places);
    idmap_done(&a->numbers);
    memory_free(&a->mem, a->list, a->cap * sizeof(*a->list));
    free(a);
}

/* Makes a goroutine; *ret is NULL if there is no room. */
static int meet(struct alive *a, int64_t g, struct being **ret)
{
    uint32_t i = a->free;
    int r = 0;

    *ret = NULL;
    if (i == NONE) {
        i = a->n;
        r = i < NONE ? memory_grow(&a->mem, &a->list, &a->cap, i + 1U, sizeof(*a->list)) : -E2BIG;
    }
    if (r == 0)
        r = idmap_add(&a->numbers, (uint64_t)g, i);
    if (r < 0) {
        a->left_out++;
        return r == -E2BIG ? 0 : r;
    }
    if (i == a->n)
        a->n++;
    else
        a->free = a->list[i].next_free;
    *ret = &a->list[i];
    **ret = (struct being){.g = g, .used = true};
    return 0;
}

/* Counts one that is older where it was at the beginning, once all is known of it. */
static int count_start(struct alive *a, const struct being *b)
{
    const struct whereabouts_key key = {b->start.state, b->start.reason, b->start.stack, b->name};
    struct whereabouts_row *row = NULL;
    int r = b->older ? whereabouts_row(&a->places, &key, &row) : 0;

    if (row)
        row->at_start++;
    return r;
}

static int forget(struct alive *a, struct being *b)
{
    int r = count_start(a, b);

    (void)idmap_remove(&a->numbers, (uint64_t)b->g);
    b->used = false;
    b->next_free = a->free;
    a->free = (uint32_t)(b - a->list);
    return r;
}

/* Notes where the goroutine is now. A runnable one is where it was. */
static int note_state(struct alive *a, struct being *b, const struct gotrace *trace,
                      const struct gotrace_event *e)
{
    int r = 0;

    b->state = e->to;
    b->since = b->older && e->from == GOTRACE_GO_UNDETERMINED ? a->first : e->time;
    b->reason = TEXTS_EMPTY;
    if (e->to == GOTRACE_GO_RUNNING)
        b->stack = SITES_NO_STACK;
    else if (e->to != GOTRACE_GO_RUNNABLE || start_stack(e) != 0)
        r = sites_of(&a->sites, trace, start_stack(e), &b->stack);
    if (r == 0 && e->to == GOTRACE_GO_WAITING)
        r = texts_of(&a->texts, trace, e->string, &b->reason);
    if (r == 0 && b->name == TEXTS_EMPTY)
        r = start_name(&a->texts, trace, e, &b->name);
    return r == -E2BIG ? 0 : r;
}

static int begin(struct alive *a, const struct gotrace *trace, const struct gotrace_event *e,
                 struct being *b)
{
    int r;

    b->older = e->from == GOTRACE_GO_UNDETERMINED;
    if (!b->older) {
        a->created++;
        b->created = e->time;
        r = sites_of(&a->sites, trace, e->stack, &b->creator);
        return r < 0 ? r : note_state(a, b, trace, e);
    }
    a->at_start++;
    r = note_state(a, b, trace, e);
    b->start.state = b->state;
    b->start.reason = b->reason;
    b->start.stack = b->stack;
    return r;
}

static int learn_name(struct alive *a, const struct gotrace *trace, const struct gotrace_event *e)
{
    uint32_t i = idmap_find(&a->numbers, e->args[0]);
    int r = 0;

    if (i != IDMAP_NONE && a->list[i].name == TEXTS_EMPTY && e->from != GOTRACE_GO_NOT_EXIST)
        r = start_name(&a->texts, trace, e, &a->list[i].name);
    return r == -E2BIG ? 0 : r;
}

/*
 * One that is where it was, as a generation's beginning says again. In a syscall or a wait from
 * before the trace, that may be the first stack that is had of it.
 */
static int stays(struct alive *a, const struct gotrace *trace, const struct gotrace_event *e,
                 struct being *b)
{
    bool waits = b->state == GOTRACE_GO_WAITING || b->state == GOTRACE_GO_SYSCALL;
    int r = 0;

    if (!waits || b->stack != SITES_NO_STACK || start_stack(e) == 0)
        return 0;
    r = sites_of(&a->sites, trace, start_stack(e), &b->stack);
    if (b->older && b->since == a->first)
        b->start.stack = b->stack;
    return r == -E2BIG ? 0 : r;
}

static int go_state(struct alive *a, const struct gotrace *trace, const struct gotrace_event *e)
{
    uint32_t i = idmap_find(&a->numbers, e->args[0]);
    struct being *b = i == IDMAP_NONE ? NULL : &a->list[i];
    int r;

    if (e->from == e->to) {
        r = learn_name(a, trace, e);
        return r < 0 || !b ? r : stays(a, trace, e, b);
    }
    if (!b && e->from != GOTRACE_GO_UNDETERMINED && e->from != GOTRACE_GO_NOT_EXIST)
        return 0; /* there was no room for it */
    if (!b) {
        r = meet(a, (int64_t)e->args[0], &b);
        return r < 0 || !b ? r : begin(a, trace, e, b);
    }
    if (e->to != GOTRACE_GO_NOT_EXIST)
        return note_state(a, b, trace, e);
    a->ended++;
    return forget(a, b);
}

static int sync_event(struct alive *a, const struct gotrace *trace)
{
    struct gotrace_generation g;

    if (gotrace_generation(trace, &g) < 0)
        return 0;
    texts_generation(&a->texts, g.n_strings);
    return sites_generation(&a->sites, g.n_stacks, g.n_frames);
}

static int count(struct alive *a, const struct being *b)
{
    const struct whereabouts_key key = {b->state, b->reason, b->stack, b->name};
    int64_t there = times_between(b->since, a->at);
    struct whereabouts_row *row;
    int r = count_start(a, b);

    a->count++;
    if (r == 0)
        r = whereabouts_row(&a->places, &key, &row);
    if (r < 0 || !row) {
        a->ungrouped += r == 0;
        return r;
    }
    row->count++;
    row->older += b->older;
    row->longest = row->longest > there ? row->longest : there;
    return b->older
             ? 0
             : whereabouts_created(&a->places, row, b->creator, times_between(b->created, a->at));
}

static int take_stock(struct alive *a)
{
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < a->n; i++)
        if (a->list[i].used)
            r = count(a, &a->list[i]);
    return r < 0 ? r : whereabouts_list(&a->places, &a->sites, &a->groups, &a->n_groups);
}

/*
 * After the moment, goroutines may still be heard of for the first time that are older than the
 * trace: then they were already where they are now. All else is too late, but for names.
 */
static bool is_late(const struct alive *a, const struct gotrace_event *e)
{
    return a->over && (e->from != GOTRACE_GO_UNDETERMINED || e->to == GOTRACE_GO_NOT_EXIST);
}

static int take(struct alive *a, const struct gotrace *trace, const struct gotrace_event *e)
{
    if (!a->begun)
        a->first = e->time;
    a->begun = true;
    a->over = a->over || times_between(a->first, e->time) > a->wanted;
    a->last = e->time;
    if (e->kind == GOTRACE_SYNC)
        return sync_event(a, trace);
    if (e->kind != GOTRACE_GO_STATE)
        return 0;
    return is_late(a, e) ? learn_name(a, trace, e) : go_state(a, trace, e);
}

int alive_run(struct alive *a, struct gotrace *trace)
{
    const struct gotrace_event *e;
    int code, r = 0;
    size_t n;

    while (r == 0 && (code = gotrace_next_batch(trace, &e, &n)) > 0)
        for (size_t i = 0; i < n && r == 0; i++)
            r = take(a, trace, &e[i]);
    if (r < 0)
        return r;
    a->at = a->over ? a->first + a->wanted : a->last;
    a->over = a->over || a->wanted == ALIVE_END || a->last - a->first == a->wanted;
    if (a->over)
        r = take_stock(a);
    return r < 0 ? r : code;
}

struct alive_result alive_result(const struct alive *a)
{
    return (struct alive_result){
        .reached = a->over,
        .window = times_between(a->first, a->last),
        .at = times_between(a->first, a->at),
        .at_start = a->at_start,
        .count = a->count,
        .created = a->created,
        .ended = a->ended,
        .left_out = a->left_out,
        .ungrouped = a->ungrouped,
        .groups = a->groups,
        .n = a->n_groups,
    };
}
