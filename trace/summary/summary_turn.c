/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A thread's turn, summed up as its events are read. Most of a trace consists of a few types of
 * events in common cases. These go from the thread's bytes straight into the sums. All other events
 * are first turned into gotrace events, as for any user of the reader. Which way an event goes is
 * decided before it changes anything.
 *
 * An event changes the sums only after the thread's next event was read: if that one is broken, the
 * reader takes the event before it back.
 */

#include <string.h>

#include "trace/reader/order_hot.h"
#include "trace/reader/reader.h"
#include "trace/summary/accumulator_hot.h"

#define COLD __attribute__((noinline, cold))

/* The result of an event: it was handled and was the thread's last; it was handled and the next is
 * read; or it was not handled here. */
enum { LAST, NEXT, ASIDE };

/* The slow parts of stack_of and reason_of. The number plus 1; 0: not met yet in this
 * generation. */
static COLD uint32_t find_stack(struct accumulator *s, uint64_t id)
{
    uint32_t handle = stacks_handle(&s->trace->gen.stacks, id);
    uint32_t n = handle < s->sites.n_handles ? s->sites.by_handle[handle] : 0;

    if (id < s->n_stack_ids)
        s->stack_of_id[id] = n;
    return n;
}

static COLD uint32_t find_reason(struct accumulator *s, uint64_t id)
{
    uint32_t handle = strings_handle(&s->trace->gen.strings, id);
    uint64_t known;
    uint16_t n = handles_find(&s->reason_of, handle, &known) ? (uint16_t)(known + 1) : 0;

    if (id < s->n_reason_ids)
        s->reason_of_id[id] = n;
    return n;
}

/* stack_of returns false and reason_of NULL if it was not met yet in this generation. */
static inline bool stack_of(struct accumulator *s, uint64_t id, uint32_t *ret)
{
    uint32_t n = __builtin_expect(id < s->n_stack_ids, 1) ? s->stack_of_id[id] : 0;

    if (__builtin_expect(n == 0, 0))
        n = find_stack(s, id);
    *ret = n - 1;
    return __builtin_expect(n != 0, 1);
}

static inline struct accumulator_reason *reason_of(struct accumulator *s, uint64_t id)
{
    uint32_t n = __builtin_expect(id < s->n_reason_ids, 1) ? s->reason_of_id[id] : 0;

    if (__builtin_expect(n == 0, 0))
        n = find_reason(s, id);
    return __builtin_expect(n != 0, 1) ? &s->reasons[n - 1] : NULL;
}

/* The summary's goroutine for one of the reader's, which caches the pointer. Such a struct may be
 * reused for another goroutine, but is never freed. */
static inline struct accumulator_go *sums_of(struct accumulator *s, struct goroutine *g)
{
    struct accumulator_go *sums = g->user;

    if (__builtin_expect(!sums || sums->id != g->id, 0))
        g->user = sums = accumulator_go_find(s, g->id);
    return sums;
}

static HOT int start(struct accumulator *s, struct order *o, struct cursor *c,
                     struct accumulator_proc *p)
{
    struct goroutine *g = order_can_start(o, c);
    int64_t time = order_time(o, c->time);
    struct accumulator_go *sums;
    int more, r;

    if (__builtin_expect(!g || p->go, 0))
        return ASIDE;
    sums = sums_of(s, g);
    if (!accumulator_is(s, sums, GOTRACE_GO_RUNNABLE, ACCUMULATOR_OVERDUE, time))
        return ASIDE;
    order_do_start(c, g);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GO_START]++;
    r = accumulator_start(s, sums, p, c->thread->pid, time);
    return r < 0 ? r : more;
}

static HOT int block(struct accumulator *s, struct order *o, struct cursor *c,
                     struct accumulator_proc *p)
{
    struct goroutine *g = order_at_hand(c);
    int64_t time = order_time(o, c->time);
    struct accumulator_reason *reason = reason_of(s, c->args[0]);
    struct accumulator_go *sums;
    uint32_t stack;
    int more;

    if (__builtin_expect(!g || !reason, 0))
        return ASIDE;
    sums = accumulator_can_act(s, p, g->id, time);
    if (!sums || reason->forever || !stack_of(s, c->args[1], &stack) ||
        !accumulator_can_leave(s, sums, time))
        return ASIDE;
    order_do_stop(c, g, GO_WAITING);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GO_BLOCK]++;
    accumulator_block(s, sums, p, reason, stack, time);
    return more;
}

static HOT int unblock(struct accumulator *s, struct order *o, struct cursor *c,
                       const struct accumulator_proc *p)
{
    struct goroutine *g = order_can_unblock(o, c);
    int64_t time = order_time(o, c->time);
    struct accumulator_reason *reason;
    struct accumulator_go *sums;
    int64_t waker;
    uint32_t stack;
    int more;

    if (__builtin_expect(!g, 0))
        return ASIDE;
    sums = sums_of(s, g);
    waker = c->thread->g;
    if (!accumulator_is(s, sums, GOTRACE_GO_WAITING, 0, time) || !stack_of(s, c->args[2], &stack))
        return ASIDE;
    reason = &s->reasons[sums->reason];
    if (__builtin_expect(reason->forever, 0))
        return ASIDE;
    order_do_unblock(c, g);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GO_UNBLOCK]++;
    if (p->go && p->go->id == waker)
        accumulator_wakes(s, p->go, stack);
    accumulator_unblock(s, sums, reason, waker, stack, time);
    return more;
}

static HOT int stop(struct accumulator *s, struct order *o, struct cursor *c,
                    struct accumulator_proc *p)
{
    struct goroutine *g = order_at_hand(c);
    int64_t time = order_time(o, c->time);
    const struct accumulator_reason *reason = reason_of(s, c->args[0]);
    struct accumulator_go *sums;
    uint32_t stack;
    int more;

    if (__builtin_expect(!g || !reason, 0))
        return ASIDE;
    sums = accumulator_can_act(s, p, g->id, time);
    if (!sums || !stack_of(s, c->args[1], &stack) || !accumulator_can_leave(s, sums, time))
        return ASIDE;
    order_do_stop(c, g, GO_RUNNABLE);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GO_STOP]++;
    accumulator_stop(s, sums, p, reason, stack, time);
    return more;
}

/* The end of a syscall of the goroutine g, which kept its P. */
static HOT int end_syscall(struct accumulator *s, struct order *o, struct cursor *c,
                           struct accumulator_proc *p, struct goroutine *g,
                           struct accumulator_go *sums)
{
    int64_t time = order_time(o, c->time);
    int more, r;

    if (!accumulator_can_end_syscall(s, sums, time))
        return ASIDE;
    order_do_end_syscall(g, c->thread->p);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GO_SYSCALL_END]++;
    r = accumulator_syscall_end(s, sums, p, time);
    return r < 0 ? r : more;
}

/* Most syscalls end with the thread's next event. If it may come, it comes at once. */
static HOT int syscall_begin(struct accumulator *s, struct order *o, struct cursor *c,
                             struct accumulator_proc *p, int64_t ends)
{
    struct goroutine *g = order_at_hand(c);
    struct proc *proc = c->thread->p;
    int64_t time = order_time(o, c->time);
    struct accumulator_go *sums;
    uint32_t stack;
    int more;

    if (__builtin_expect(!g || !order_follows(o, c->args[0], &proc->seq), 0))
        return ASIDE;
    sums = accumulator_can_act(s, p, g->id, time);
    if (!sums || !stack_of(s, c->args[1], &stack) || !accumulator_can_leave(s, sums, time))
        return ASIDE;
    order_do_syscall(g, proc, c->args[0]);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GO_SYSCALL_BEGIN]++;
    accumulator_syscall_begin(s, sums, p, stack, time);
    if (__builtin_expect(more != NEXT || c->type != GOTRACE_EV_GO_SYSCALL_END, 0) || c->time > ends)
        return more;
    if (__builtin_expect(!accumulator_is_only(sums, GOTRACE_GO_SYSCALL), 0))
        return more;
    return end_syscall(s, o, c, p, g, sums);
}

static inline int syscall_end(struct accumulator *s, struct order *o, struct cursor *c,
                              struct accumulator_proc *p)
{
    struct goroutine *g = order_can_end_syscall(c);
    struct accumulator_go *sums = p->go;

    if (!g || !accumulator_is(s, sums, GOTRACE_GO_SYSCALL, 0, order_time(o, c->time)) ||
        sums->id != g->id)
        return ASIDE;
    return end_syscall(s, o, c, p, g, sums);
}

/* The stack that stands for the `go` statement: the new goroutine's own where a timer creates it. */
static inline bool creator_of(struct accumulator *s, uint64_t new_stack, uint32_t stack,
                              uint32_t *ret)
{
    *ret = stack;
    return __builtin_expect(stack != SITES_NO_STACK, 1) || stack_of(s, new_stack, ret);
}

static inline int create(struct accumulator *s, struct order *o, struct cursor *c,
                         const struct accumulator_proc *p)
{
    const struct goroutine *by = resources_current(&o->res, c->thread);
    int64_t id = (int64_t)c->args[0], time = order_time(o, c->time);
    struct goroutine *g;
    struct accumulator_go *sums;
    uint32_t stack, creator;
    int more, r;

    if (__builtin_expect((by && by->status != GO_RUNNING) || id < 0, 0))
        return ASIDE;
    if (__builtin_expect(p->go && p->go->worker != 0, 0))
        return ASIDE;
    if (stacks_handle(&o->gen->stacks, c->args[1]) == IDMAP_NONE ||
        !stack_of(s, c->args[2], &stack) || !creator_of(s, c->args[1], stack, &creator) ||
        resources_new_goroutine(&o->res, id, &g) < 0)
        return ASIDE; /* where an error happens again and is reported */
    g->status = GO_RUNNABLE;
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GO_CREATE]++;
    if (p->go)
        accumulator_did(p->go);
    r = accumulator_create(s, id, (struct accumulator_origin){stack, creator}, time, &sums);
    g->user = sums;
    return r < 0 ? r : more;
}

static inline int destroy(struct accumulator *s, struct order *o, struct cursor *c,
                          struct accumulator_proc *p)
{
    struct goroutine *g = order_can_act(o, c);
    int64_t time = order_time(o, c->time);
    struct accumulator_go *sums;
    int more;

    if (__builtin_expect(!g, 0))
        return ASIDE;
    sums = accumulator_can_act(s, p, g->id, time);
    if (!sums || (sums->regions | sums->worker) != 0 || !accumulator_can_leave(s, sums, time))
        return ASIDE;
    resources_end_goroutine(&o->res, g);
    c->thread->g = GOTRACE_NONE;
    c->thread->gp = NULL;
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GO_DESTROY]++;
    accumulator_destroy(s, sums, p, time);
    return more;
}

static void count_switch(struct accumulator *s)
{
    s->out->events.by_type[GOTRACE_EV_GO_SWITCH]++;
    s->out->events.by_type[GOTRACE_EV_GO_BLOCK]++;
    s->out->events.by_type[GOTRACE_EV_GO_START]++;
}

/* A switch: one goroutine unblocks another and blocks, and the other starts. It counts as three
 * events without a stack. */
static inline int hand_over(struct accumulator *s, struct order *o, struct cursor *c,
                            struct accumulator_proc *p)
{
    struct goroutine *g = order_at_hand(c), *next = order_can_unblock(o, c);
    struct accumulator_reason *reason = reason_of(s, 0), *over;
    int64_t time = order_time(o, c->time);
    struct accumulator_go *sums, *then;
    int more, r;

    if (!g || !next || !reason)
        return ASIDE;
    sums = accumulator_can_act(s, p, g->id, time);
    then = sums_of(s, next);
    if (!sums || reason->forever || !accumulator_is(s, then, GOTRACE_GO_WAITING, 0, time) ||
        (sums->worker | then->worker) != 0 || !accumulator_can_leave(s, sums, time + 1))
        return ASIDE;
    over = &s->reasons[then->reason];
    if (over->forever)
        return ASIDE;
    order_do_stop(c, g, GO_WAITING);
    order_do_start(c, next);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time + 2;
    count_switch(s);
    accumulator_unblock(s, then, over, GOTRACE_NONE, SITES_NO_STACK, time);
    accumulator_block(s, sums, p, reason, SITES_NO_STACK, time + 1);
    r = accumulator_start(s, then, p, c->thread->pid, time + 2);
    return r < 0 ? r : more;
}

/* The size of the heap or its goal changed. */
static HOT int metric(struct accumulator *s, struct order *o, struct cursor *c)
{
    uint64_t value = c->args[0];
    uint8_t type = c->type;
    int64_t time = order_time(o, c->time);
    int more;

    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[type]++;
    accumulator_gc_metric(s, type, value);
    return more;
}

static inline int region_begin(struct accumulator *s, struct order *o, struct cursor *c,
                               const struct accumulator_proc *p)
{
    const struct goroutine *g = order_at_hand(c);
    int64_t time = order_time(o, c->time);
    struct accumulator_go *sums = p->go;
    struct goroutine_more *more;
    struct name *name;
    uint32_t string, type;
    int next;

    if (!g || !sums || sums->id != g->id || !accumulator_can_begin_region(s, sums, c->args[0]))
        return ASIDE;
    name = order_region_type(o, c, &string);
    more = order_can_begin_region(o, g);
    if (!name || !more)
        return ASIDE;
    type = types_known(&s->region_types, string);
    if (type == TYPES_NONE)
        return ASIDE;
    order_do_begin_region(more, c->args[0], name, time);
    next = cursor_next(c, o->gen);
    if (next < 0)
        return next;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_USER_REGION_BEGIN]++;
    accumulator_begin_region(s, sums, type, time);
    return next;
}

static inline int region_end(struct accumulator *s, struct order *o, struct cursor *c,
                             const struct accumulator_proc *p)
{
    const struct goroutine *g = order_at_hand(c);
    int64_t time = order_time(o, c->time);
    struct accumulator_go *sums = p->go;
    const struct region *region;
    struct goroutine_more *more;
    const struct name *name;
    uint32_t string;
    int next, r;

    if (!g || !sums || sums->id != g->id)
        return ASIDE;
    name = order_region_type(o, c, &string);
    more = resources_has_more(&o->res, g);
    region = name ? order_can_end_region(more, c->args[0], name) : NULL;
    if (!region || !accumulator_can_end_region(s, sums, region->since, time))
        return ASIDE;
    order_do_end_region(o, more);
    next = cursor_next(c, o->gen);
    if (next < 0)
        return next;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_USER_REGION_END]++;
    r = accumulator_end_region(s, sums, time);
    return r < 0 ? r : next;
}

static HOT int end_sweep(struct accumulator *s, struct order *o, struct cursor *c)
{
    uint64_t swept = c->args[0], reclaimed = c->args[1];
    int64_t time = order_time(o, c->time);
    int more;

    if (!order_can_end_sweep(c->thread->p))
        return ASIDE;
    order_do_end_sweep(c->thread->p);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GC_SWEEP_END]++;
    accumulator_gc_swept(s, swept, reclaimed);
    return more;
}

/* Only the end of a sweep is summed up. As that of a syscall, it mostly comes at once. */
static inline int sweep_begin(struct accumulator *s, struct order *o, struct cursor *c,
                              int64_t ends)
{
    int64_t time = order_time(o, c->time);
    int more;

    if (!order_can_begin_sweep(c->thread->p) ||
        stacks_handle(&o->gen->stacks, c->args[0]) == IDMAP_NONE)
        return ASIDE;
    order_do_begin_sweep(c->thread->p);
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_GC_SWEEP_BEGIN]++;
    if (more != NEXT || c->type != GOTRACE_EV_GC_SWEEP_END || c->time > ends)
        return more;
    return end_sweep(s, o, c);
}

static inline int sweep_end(struct accumulator *s, struct order *o, struct cursor *c)
{
    return end_sweep(s, o, c);
}

/* Whether a log message's category is known to be none that carries an id, or the message belongs
 * to no task. */
static inline bool is_plain(const struct accumulator *s, uint64_t task, uint32_t category)
{
    uint64_t kind;

    return task == 0 || (handles_find(&s->id_kinds, category, &kind) && kind == SUMMARY_N_IDS);
}

/* A log message. Nothing but its number is summed up, unless it carries an id. */
static inline int log_message(struct accumulator *s, struct order *o, struct cursor *c)
{
    const struct strings *strings = &o->gen->strings;
    uint32_t category = strings_handle(strings, c->args[1]);
    int64_t time = order_time(o, c->time);
    int more;

    if (c->thread->g < 0 || category == IDMAP_NONE || !is_plain(s, c->args[0], category) ||
        strings_handle(strings, c->args[2]) == IDMAP_NONE ||
        stacks_handle(&o->gen->stacks, c->args[3]) == IDMAP_NONE)
        return ASIDE;
    more = cursor_next(c, o->gen);
    if (more < 0)
        return more;
    o->last_time = time;
    s->out->events.by_type[GOTRACE_EV_USER_LOG]++;
    return more;
}

/* Handles a frequent event, on a thread that has the proc p. ASIDE: this event needs the other
 * way. */
static HOT int hot(struct accumulator *s, struct order *o, struct cursor *c,
                   struct accumulator_proc *p, int64_t ends)
{
    if (c->type == GOTRACE_EV_GO_START)
        return start(s, o, c, p);
    if (c->type == GOTRACE_EV_GO_BLOCK)
        return block(s, o, c, p);
    if (c->type == GOTRACE_EV_GO_UNBLOCK)
        return unblock(s, o, c, p);
    switch (c->type) {
    case GOTRACE_EV_GO_SYSCALL_BEGIN: return syscall_begin(s, o, c, p, ends);
    case GOTRACE_EV_GO_SYSCALL_END: return syscall_end(s, o, c, p);
    case GOTRACE_EV_GO_STOP: return stop(s, o, c, p);
    case GOTRACE_EV_GO_CREATE: return create(s, o, c, p);
    case GOTRACE_EV_GO_DESTROY: return destroy(s, o, c, p);
    case GOTRACE_EV_GO_SWITCH: return hand_over(s, o, c, p);
    case GOTRACE_EV_GC_SWEEP_BEGIN: return sweep_begin(s, o, c, ends);
    case GOTRACE_EV_GC_SWEEP_END: return sweep_end(s, o, c);
    case GOTRACE_EV_USER_REGION_BEGIN: return region_begin(s, o, c, p);
    case GOTRACE_EV_USER_REGION_END: return region_end(s, o, c, p);
    case GOTRACE_EV_USER_LOG: return log_message(s, o, c);
    case GOTRACE_EV_HEAP_ALLOC:
    case GOTRACE_EV_HEAP_GOAL: return metric(s, o, c);
    default: return ASIDE;
    }
}

/* Handles any event: the reader turns it into gotrace events, and these are summed up. */
static int other(struct accumulator *s, struct order *o, struct cursor *c)
{
    int64_t last = o->last_time;
    int more = LAST, r;

    o->next = o->out;
    r = order_table[c->type](o, c);
    if (r > 0)
        more = cursor_next(c, o->gen);
    if (r <= 0 || more < 0) {
        s->trace->next = o->next = o->out;
        o->last_time = last;
        return r == 0 ? ASIDE : r < 0 ? r : more;
    }
    r = 0;
    for (const struct gotrace_event *e = o->out; r == 0 && e < o->next; e++)
        r = accumulator_event(s, e);
    s->trace->next = o->next = o->out;
    return r < 0 ? r : more;
}

/* Handles a thread's events up to the time `ends`, or until one must wait for another thread. */
static int turn(struct accumulator *s, struct cursor *c, int64_t ends)
{
    struct order *o = &s->trace->order;
    struct accumulator_proc *p = accumulator_proc_of(s, c->m, c->thread->pid);

    for (;;) {
        int r = p ? hot(s, o, c, p, ends) : ASIDE;

        if (__builtin_expect(r == ASIDE, 0)) {
            r = other(s, o, c);
            p = accumulator_proc_of(s, c->m, c->thread->pid);
        }
        if (__builtin_expect(r != NEXT, 0) || c->time > ends)
            return r;
    }
}

/* The reader's next turn, or NULL. Its end is limited to the times that may be summed up, and so
 * that a silence always ends a turn: within one nobody needs to look for them. */
static inline struct cursor *next_turn(struct accumulator *s, int64_t *ret_ends)
{
    struct cursor *c = reader_turn(s->trace, ret_ends);
    int64_t latest = s->first + ACCUMULATOR_MAX_SPAN - 1, limit;

    if (!c || s->last >= latest || c->time > latest)
        return NULL;
    limit = c->time + SUMMARY_SILENCE;
    if (__builtin_expect(limit > latest, 0))
        limit = latest;
    if (*ret_ends > limit)
        *ret_ends = limit;
    /* The difference of any two times may be too large for a number. */
    if (__builtin_expect(c->time > s->last + SUMMARY_SILENCE, 0))
        accumulator_silence(s, c->time);
    return c;
}

int accumulator_turns(struct accumulator *s)
{
    struct gotrace *t = s->trace;
    struct cursor *c;
    int64_t ends = 0;
    int r = NEXT;

    while (r != ASIDE && (c = next_turn(s, &ends))) {
        r = turn(s, c, ends);
        if (__builtin_expect(t->order.last_time == s->last, 0))
            accumulator_no_silence(s);
        s->last = t->order.last_time;
        if (r < 0)
            return t->fault.code < 0 ? 0 : r;
        reader_end_turn(t, r != LAST);
    }
    return 0;
}
