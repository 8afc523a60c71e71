/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/blockers/blockers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "trace/blockers/trail.h"
#include "trace/goroutines/start.h"
#include "trace/profile/profile.h"

#define NONE UINT32_MAX

/* A goroutine. */
struct actor {
    int64_t g;
    int64_t locked;         /* the end of its last wait for a mutex, or INT64_MIN */
    uint32_t reason, stack; /* of its state */
    uint32_t name;
    uint32_t next_free;
    uint8_t state;
    uint32_t held_row; /* of the last that it woke, plus 1; 0: none */
    int64_t held_from, held_until;
    struct trail past;
};

struct blockers {
    struct memory mem, sums_mem;
    const struct gotrace *trace;
    struct texts texts;
    struct sites sites;
    struct holds holds;
    struct idmap numbers;
    struct actor *list;
    size_t cap;
    uint32_t n, free;
    struct profile *profile;
    struct profile_observer observer;
    uint32_t ran, runnable; /* things */
    bool needs_scan, cut, begun;
    int64_t first, last;
    int error;
    struct blockers_sum waits, nobody, untold;
    uint64_t unknown;
    struct holds_blocker *found;
    size_t n_found;
};

static struct actor *find(const struct blockers *b, int64_t g)
{
    uint32_t i = g == GOTRACE_NONE ? IDMAP_NONE : idmap_find(&b->numbers, (uint64_t)g);

    return i == IDMAP_NONE ? NULL : &b->list[i];
}

static void add(struct blockers_sum *sum, int64_t ns)
{
    sum->count++;
    if (__builtin_add_overflow(sum->total, ns, &sum->total))
        sum->total = INT64_MAX;
}

static void forget(struct blockers *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        trail_done(&b->list[i].past, &b->mem);
    idmap_clear(&b->numbers);
    b->n = 0;
    b->free = NONE;
    holds_clear(&b->holds);
    b->waits = b->nobody = b->untold = (struct blockers_sum){0, 0};
    b->unknown = 0;
    b->begun = false;
}

static void tell_hold(struct holds_row *row, const struct actor *waker, int64_t from, int64_t until)
{
    if (from >= until)
        return;
    row->held += until - from;
    trail_ask(&waker->past, from, until, holds_tell, row);
}

/* Adds the part of a hold that was not added when this goroutine woke another one before. */
static void add_hold(struct holds_row *row, struct actor *waker, uint32_t number, int64_t from,
                     int64_t until)
{
    bool again = waker->held_row == number;

    if (!again || until - waker->held_until > BLOCKERS_BURST)
        row->holds++;
    if (until - from > row->longest)
        row->longest = until - from;
    if (!again) {
        tell_hold(row, waker, from, until);
        waker->held_from = from;
    } else {
        tell_hold(row, waker, from, waker->held_from);
        tell_hold(row, waker, from > waker->held_until ? from : waker->held_until, until);
        waker->held_from = from < waker->held_from ? from : waker->held_from;
    }
    waker->held_row = number;
    waker->held_until = until;
}

/* Whether something is missing, here or below, that was within its bound. */
static int no_memory(const struct blockers *b)
{
    return b->mem.failed || b->sums_mem.failed ? -ENOMEM : 0;
}

/* Beyond its bound a text is one that stands for all others. */
static int text_of(struct blockers *b, uint32_t handle, uint32_t *ret)
{
    int r = texts_of(&b->texts, b->trace, handle, ret);

    if (r == -E2BIG)
        *ret = TEXTS_OTHER;
    return r == -E2BIG ? 0 : r;
}

/* Makes the goroutine, if there is room. */
static int meet(struct blockers *b, int64_t g, struct actor **ret)
{
    uint32_t i = b->free;
    int r = 0;

    if (i == NONE) {
        i = b->n;
        r = i < NONE ? memory_grow(&b->mem, &b->list, &b->cap, i + 1U, sizeof(*b->list)) : -E2BIG;
    }
    if (r == 0)
        r = idmap_add(&b->numbers, (uint64_t)g, i);
    *ret = NULL;
    if (r < 0) {
        b->unknown++;
        return r == -E2BIG ? 0 : r;
    }
    if (i == b->n)
        b->n++;
    else
        b->free = b->list[i].next_free;
    *ret = &b->list[i];
    **ret = (struct actor){.g = g, .locked = INT64_MIN};
    return 0;
}

static void remove_actor(struct blockers *b, struct actor *a)
{
    trail_done(&a->past, &b->mem);
    (void)idmap_remove(&b->numbers, (uint64_t)a->g);
    a->next_free = b->free;
    b->free = (uint32_t)(a - b->list);
}

static bool is(const struct blockers *b, uint32_t text, const char *word)
{
    return strcmp(texts_get(&b->texts, text), word) == 0;
}

/* What the goroutine does in its state. */
static uint32_t thing_of(struct blockers *b, const struct actor *a)
{
    struct holds_thing thing = {HOLDS_SYSCALL, TEXTS_EMPTY, a->stack};

    switch (a->state) {
    case GOTRACE_GO_RUNNING: return b->ran;
    case GOTRACE_GO_RUNNABLE: return b->runnable;
    case GOTRACE_GO_SYSCALL: return holds_thing(&b->holds, &thing);
    case GOTRACE_GO_WAITING: break;
    default: return TRAIL_UNKNOWN;
    }
    thing.reason = a->reason;
    thing.kind = is(b, a->reason, "network") ? HOLDS_NETWORK
               : is(b, a->reason, "sleep")   ? HOLDS_SLEPT
                                             : HOLDS_WAITED;
    return holds_thing(&b->holds, &thing);
}

/* From when on the waker can have kept the other one waiting: not before it had waited itself at the
 * same place, or for a mutex as the other one did. */
static int64_t hold_begin(struct blockers *b, const struct actor *waiter, const struct actor *waker,
                          int64_t since)
{
    bool lock = b->sites.stacks[waiter->stack].class == STACK_LOCK;
    int64_t own = lock ? waker->locked : trail_end_of(&waker->past, thing_of(b, waiter));

    return own > since ? own : since;
}

static int ended(struct blockers *b, const struct actor *waiter, struct actor *waker,
                 const struct gotrace_event *e, int64_t since, int64_t ns)
{
    struct holds_pair pair = {
        .reason = waiter->reason, .waiter = waiter->stack, .name = waker->name};
    struct holds_row *row;
    int r = sites_of(&b->sites, b->trace, e->stack, &pair.waker);

    if (r < 0)
        return r;
    row = holds_row(&b->holds, &pair);
    if (!row) {
        add(&b->untold, ns);
        return no_memory(b);
    }
    row->count++;
    row->total += ns;
    row->max = row->max > ns ? row->max : ns;
    add_hold(row, waker, (uint32_t)(row - b->holds.rows) + 1, hold_begin(b, waiter, waker, since),
             e->time);
    return 0;
}

static void counted(void *userdata, const struct gotrace_event *e, int64_t since, int64_t ns)
{
    struct blockers *b = userdata;
    struct actor *waiter, *waker;

    add(&b->waits, ns);
    if (e && (e->g == GOTRACE_NONE || (uint64_t)e->g == e->args[0])) {
        add(&b->nobody, ns);
        return;
    }
    waiter = e ? find(b, (int64_t)e->args[0]) : NULL;
    waker = e ? find(b, e->g) : NULL;
    if (!waiter || !waker || waiter->state != GOTRACE_GO_WAITING)
        add(&b->untold, ns);
    else if (b->error == 0)
        b->error = ended(b, waiter, waker, e, since, ns);
}

static int enter(struct blockers *b, struct actor *a, const struct gotrace_event *e)
{
    bool placed = e->to == GOTRACE_GO_WAITING || e->to == GOTRACE_GO_SYSCALL;
    /* What is heard of for the first time was so from the trace's beginning. */
    bool older = e->from == GOTRACE_GO_UNDETERMINED;
    int r = 0;

    a->state = e->to;
    a->stack = SITES_NO_STACK;
    a->reason = TEXTS_EMPTY;
    if (placed)
        r = sites_of(&b->sites, b->trace, e->stack, &a->stack);
    if (r == 0 && e->to == GOTRACE_GO_WAITING)
        r = text_of(b, e->string, &a->reason);
    if (r == 0)
        trail_add(&a->past, &b->mem, older ? b->first : e->time, thing_of(b, a));
    return r < 0 ? r : no_memory(b);
}

static int go_state(struct blockers *b, const struct gotrace_event *e)
{
    struct actor *a = find(b, (int64_t)e->args[0]);
    int r = 0;

    if (e->from == e->to)
        return 0;
    if (!a)
        r = meet(b, (int64_t)e->args[0], &a);
    if (r < 0 || !a)
        return r;
    if (a->state == GOTRACE_GO_WAITING && b->sites.stacks[a->stack].class == STACK_LOCK)
        a->locked = e->time;
    if (e->to == GOTRACE_GO_NOT_EXIST) {
        remove_actor(b, a);
        return 0;
    }
    if (a->name == TEXTS_EMPTY)
        r = start_name(&b->texts, b->trace, e, &a->name);
    return r < 0 && r != -E2BIG ? r : enter(b, a, e);
}

static int sync_event(struct blockers *b)
{
    struct gotrace_generation g;

    if (gotrace_generation(b->trace, &g) < 0)
        return 0;
    texts_generation(&b->texts, g.n_strings);
    return sites_generation(&b->sites, g.n_stacks, g.n_frames);
}

static int event(void *userdata, const struct gotrace *trace, const struct gotrace_event *e)
{
    struct blockers *b = userdata;
    int r = b->error;

    b->trace = trace;
    if (!b->begun)
        b->first = e->time;
    b->begun = true;
    b->last = e->time;
    if (r == 0 && e->kind == GOTRACE_SYNC)
        r = sync_event(b);
    else if (r == 0 && e->kind == GOTRACE_GO_STATE)
        r = go_state(b, e);
    return r;
}

static void begin(void *userdata)
{
    forget(userdata);
}

static int prepare(struct blockers *b)
{
    uint64_t seed;
    int r;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
        seed = 0x9e3779b97f4a7c15U;
    seed |= 1;
    b->mem.max = BLOCKERS_MAX_MEMORY / 4 * 3;
    b->sums_mem.max = BLOCKERS_MAX_MEMORY / 4;
    b->free = NONE;
    idmap_init(&b->numbers, &b->mem, seed);
    holds_init(&b->holds, &b->sums_mem, seed);
    b->observer = (struct profile_observer){b, begin, counted, event};
    r = texts_init(&b->texts, &b->sums_mem, seed);
    if (r == 0)
        r = sites_init(&b->sites, &b->texts, &b->sums_mem, seed);
    if (r == 0)
        r = profile_new(&(struct profile_options){.kind = PROFILE_SYNC, .observer = &b->observer},
                        &b->profile);
    b->ran = holds_thing(&b->holds, &(struct holds_thing){HOLDS_RAN, TEXTS_EMPTY, SITES_NO_STACK});
    b->runnable =
        holds_thing(&b->holds, &(struct holds_thing){HOLDS_RUNNABLE, TEXTS_EMPTY, SITES_NO_STACK});
    return r < 0 ? r : no_memory(b);
}

int blockers_new(struct blockers **ret)
{
    struct blockers *b = calloc(1, sizeof(*b));
    int r = b ? prepare(b) : -ENOMEM;

    if (r == 0)
        *ret = b;
    else
        blockers_free(b);
    return r < 0 ? -ENOMEM : 0;
}

void blockers_free(struct blockers *b)
{
    if (!b)
        return;
    holds_release(b->found, b->n_found);
    if (b->sites.mem)
        sites_done(&b->sites);
    if (b->texts.mem)
        texts_done(&b->texts);
    arena_free(b->texts.arena);
    forget(b);
    holds_done(&b->holds);
    idmap_done(&b->numbers);
    memory_free(&b->mem, b->list, b->cap * sizeof(*b->list));
    profile_free(b->profile);
    free(b);
}

static bool breaks_off(int r)
{
    return r == -ENODATA || r == -EBADMSG;
}

int blockers_run(struct blockers *b, struct gotrace *trace, int *ret_broken)
{
    int r;

    b->trace = trace;
    if (b->needs_scan) {
        b->needs_scan = false;
        r = profile_scan(b->profile, trace);
        return r < 0 && !breaks_off(r) ? r : BLOCKERS_AGAIN;
    }
    r = profile_count(b->profile, trace);
    if (r == 1) {
        b->needs_scan = true;
        return BLOCKERS_AGAIN;
    }
    if (breaks_off(r) && !b->cut && profile_cut(b->profile)) {
        b->cut = true;
        *ret_broken = r;
        return BLOCKERS_AGAIN;
    }
    if (r == 0)
        r = holds_list(&b->holds, &b->sites, &b->found, &b->n_found);
    return r < 0 ? r : BLOCKERS_DONE;
}

struct blockers_result blockers_result(const struct blockers *b)
{
    return (struct blockers_result){
        .window = b->last - b->first,
        .waits = b->waits,
        .nobody = b->nobody,
        .untold = b->untold,
        .unknown_goroutines = b->unknown,
        .list = b->found,
        .n = b->n_found,
    };
}
