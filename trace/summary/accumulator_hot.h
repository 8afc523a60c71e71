/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The changes of state that most of a trace consists of: a goroutine is created, starts to run,
 * stops, blocks, is unblocked, begins a syscall, ends it, and ends. These functions do the same as
 * leave and enter of summary_state.c, but only for the common case: the goroutine's state began
 * within the trace, it does not work for the GC, it has a proc, and its stacks and reasons were met
 * before; for the program, accumulator_hot is true. accumulator_can_… tells whether a case is
 * common and changes nothing.
 *
 * Beside that, what a goroutine does since it was woken is noted, by both ways that events go: who was
 * woken for nothing waits again at the same place, with nothing in between that shows.
 */

#include "trace/stack/stackclass.h"
#include "trace/summary/accumulator.h"

/* For functions that are called in one or two places and would cost less than their call in the
 * loop over all events. */
#define HOT inline __attribute__((always_inline))

/* Whether GOMAXPROCS was told and the thread is counted already. */
static inline bool accumulator_hot(const struct accumulator *s, int64_t m)
{
    return s->go_procs > 0 && accumulator_knows_thread(s, m);
}

/* Whether the goroutine is in that state and has no flags but these. If it works for a task, its
 * time up to now is added to that. */
static inline bool accumulator_is(struct accumulator *s, struct accumulator_go *g, uint8_t state,
                                  uint8_t flags, int64_t time)
{
    union accumulator_condition may = {{.flags = flags}}, must = {{.state = state}};

    if (__builtin_expect(!g, 0))
        return false;
    if (__builtin_expect((g->is.all & ~may.all) == must.all, 1))
        return true;
    return g->worker != 0 &&
           accumulator_is_at_work(s, g, (uint8_t)(g->flags & ~flags), state, time);
}

/* Whether the goroutine is in that state, has no flags and works for no task. */
static inline bool accumulator_is_only(const struct accumulator_go *g, uint8_t state)
{
    union accumulator_condition must = {{.state = state}};

    return g->is.all == must.all;
}

/* The goroutine that runs on the proc if it is this one and has no flags, or NULL. */
static inline struct accumulator_go *accumulator_can_act(struct accumulator *s,
                                                         const struct accumulator_proc *p,
                                                         int64_t id, int64_t time)
{
    struct accumulator_go *g = p->go;

    return accumulator_is(s, g, GOTRACE_GO_RUNNING, 0, time) && g->id == id ? g : NULL;
}

static inline void accumulator_enter(struct accumulator *s, struct accumulator_go *g, int64_t time,
                                     uint8_t state)
{
    union accumulator_condition kept = {{.worker = UINT16_MAX}}, now = {{.state = state}};

    s->n_changes++;
    g->since = time;
    /* Stored in one piece, as it is soon loaded in one: a processor waits long for what was stored
     * in parts. A plain assignment would store only what changes. */
    __atomic_store_n(&g->is.all, (g->is.all & kept.all) | now.all, __ATOMIC_RELAXED);
    g->go_state = state;
}

/* The proc of a thread; NULL: the thread's events are no common case. */
static inline struct accumulator_proc *accumulator_proc_of(const struct accumulator *s, int64_t m,
                                                           int32_t p)
{
    return (uint32_t)p < s->n_ps && accumulator_hot(s, m) ? &s->ps[p] : NULL;
}

/* summary_again.c. The goroutine waits again in the stack in which it waited before; last: its
 * `again` before that. */
void accumulator_waits_again(struct accumulator *s, const struct accumulator_go *g, uint32_t last,
                             uint8_t column, uint32_t stack, int64_t time);
/* The goroutine's turn ends with this event: notes how, if it will wait or has stopped. */
int accumulator_turn_ends(struct accumulator *s, struct accumulator_go *g,
                          const struct gotrace_event *e);

/* The goroutine did something that shows: it woke or created another one. */
static inline void accumulator_did(struct accumulator_go *g)
{
    if (!(g->flags & ACCUMULATOR_ASSIST))
        g->again = SITES_NO_STACK;
}

/* It begins a syscall. Who looks whether anything has come makes one. */
static inline void accumulator_did_call(struct accumulator_go *g)
{
    if (!(g->flags & ACCUMULATOR_ASSIST))
        g->again = g->again & ACCUMULATOR_CALLED ? SITES_NO_STACK : g->again | ACCUMULATOR_CALLED;
}

/* The goroutine, which runs, will wait in that stack; column: of sites_add. */
static inline void accumulator_will_wait(struct accumulator *s, struct accumulator_go *g,
                                         uint8_t column, uint32_t stack, int64_t time)
{
    uint32_t last = g->again;

    if (g->flags & ACCUMULATOR_ASSIST)
        return;
    g->again = stack;
    if ((last & ~ACCUMULATOR_CALLED) == stack && stack != SITES_NO_STACK)
        accumulator_waits_again(s, g, last, column, stack, time);
}

/* The goroutine, which runs, wakes another one from this stack. */
static inline void accumulator_wakes(struct accumulator *s, struct accumulator_go *g,
                                     uint32_t stack)
{
    struct sites_stack *k = &s->sites.stacks[stack];

    accumulator_did(g);
    if (k->turn == g->changes)
        return;
    k->turn = g->changes;
    k->turns++;
}

/* A goroutine starts on proc p, whose number is n and which is free. */
static HOT int accumulator_start(struct accumulator *s, struct accumulator_go *g,
                                 struct accumulator_proc *p, int32_t n, int64_t time)
{
    int64_t duration = time - g->since;

    accumulator_advance(s, time);
    s->n_runnable--;
    if (g->flags & ACCUMULATOR_OVERDUE)
        accumulator_set_overdue(s, s->n_overdue - 1);
    accumulator_unqueue(s, g);
    if (sites_count(&s->sites, g->stack, SUMMARY_SCHED, duration))
        accumulator_long_latency(s, g, time);
    accumulator_enter(s, g, time, GOTRACE_GO_RUNNING);
    s->procs_busy++;
    p->known = true;
    p->go = g;
    g->p = (int16_t)n;
    g->changes = s->n_changes;
    return histogram_add(&s->latency, duration);
}

/* Whether the goroutine can stop running without this having been a long run. */
static inline bool accumulator_can_leave(const struct accumulator *s,
                                         const struct accumulator_go *g, int64_t time)
{
    return __builtin_expect(time - g->since <= s->common_run, 1);
}

/* Adds a goroutine's time of running to its proc p. */
static HOT void accumulator_ran(const struct accumulator_go *g, struct accumulator_proc *p,
                                int64_t time)
{
    int64_t duration = time - g->since;

    p->sums.executing += duration;
    if (duration > p->sums.longest_run)
        p->sums.longest_run = duration;
}

/* The goroutine gives up its proc p. */
static HOT void accumulator_leave(struct accumulator *s, struct accumulator_go *g,
                                  struct accumulator_proc *p, int64_t time)
{
    accumulator_advance(s, time);
    accumulator_ran(g, p, time);
    p->go = NULL;
    s->procs_busy--;
    g->p = GOTRACE_NONE;
}

/* The goroutine blocks. The reason must not be one that waits forever. */
static HOT void accumulator_block(struct accumulator *s, struct accumulator_go *g,
                                  struct accumulator_proc *p, struct accumulator_reason *reason,
                                  uint32_t stack, int64_t time)
{
    accumulator_will_wait(s, g, reason->column, reason->placed ? stack : SITES_NO_STACK, time);
    accumulator_leave(s, g, p, time);
    reason->count++;
    g->reason = (uint16_t)(reason - s->reasons);
    g->stack = reason->placed ? stack : SITES_NO_STACK;
    accumulator_enter(s, g, time, GOTRACE_GO_WAITING);
}

/* The goroutine becomes runnable. */
static HOT void accumulator_wait(struct accumulator *s, struct accumulator_go *g, uint32_t stack,
                                 int64_t time)
{
    if (++s->n_runnable > s->out->scheduler.runnable_max)
        s->out->scheduler.runnable_max = s->n_runnable;
    accumulator_enter(s, g, time, GOTRACE_GO_RUNNABLE);
    g->stack = stack;
    accumulator_queue(s, g);
}

/* The goroutine stops and is runnable again. */
static HOT void accumulator_stop(struct accumulator *s, struct accumulator_go *g,
                                 struct accumulator_proc *p,
                                 const struct accumulator_reason *reason, uint32_t stack,
                                 int64_t time)
{
    s->sites.stacks[stack].yields += reason->yields;
    sites_add(&s->sites, stack, SITES_STOPPED, time - g->since);
    accumulator_did(g);
    accumulator_leave(s, g, p, time);
    accumulator_wait(s, g, stack, time);
}

/* The goroutine keeps its proc p, so the number of busy Ps does not change. */
static HOT void accumulator_syscall_begin(struct accumulator *s, struct accumulator_go *g,
                                          struct accumulator_proc *p, uint32_t stack, int64_t time)
{
    struct summary_syscalls *out = &s->out->syscalls;

    accumulator_ran(g, p, time);
    accumulator_did_call(g);
    out->count++;
    if (++s->n_syscall > out->max_at_once)
        out->max_at_once = s->n_syscall;
    g->stack = stack;
    accumulator_enter(s, g, time, GOTRACE_GO_SYSCALL);
}

/* Whether somebody waits for such a syscall to be over, as is_active of summary_state.c for one
 * that ended. */
static inline bool accumulator_is_active(const struct accumulator *s,
                                         const struct accumulator_go *g)
{
    return !(STACK_SET(s->sites.stacks[g->stack].class) &
             (STACK_SET(STACK_LISTENER) | STACK_SET(STACK_PARKED) | STACK_SET(STACK_READ) |
              STACK_SET(STACK_TRACER) | STACK_SET(STACK_RUNTIME)));
}

/* Whether the goroutine's syscall can end without being one of the longest. */
static inline bool accumulator_can_end_syscall(const struct accumulator *s,
                                               const struct accumulator_go *g, int64_t time)
{
    const struct summary_syscalls *out = &s->out->syscalls;
    int64_t duration = time - g->since;

    return duration <= out->longest.duration &&
           (duration <= s->slow.floors[SUMMARY_SLOW_SYSCALLS] || !accumulator_is_active(s, g));
}

/* The goroutine kept its proc p throughout the syscall. */
static HOT int accumulator_syscall_end(struct accumulator *s, struct accumulator_go *g,
                                       struct accumulator_proc *p, int64_t time)
{
    int64_t duration = time - g->since;

    s->out->goroutines.in_syscall += duration;
    p->sums.in_syscall += duration;
    if (duration > p->sums.longest_syscall)
        p->sums.longest_syscall = duration;
    s->n_syscall--;
    if (__builtin_expect(duration >= ACCUMULATOR_CALL, 0))
        accumulator_called(s, g, time);
    sites_add(&s->sites, g->stack, SUMMARY_SYSCALL, duration);
    accumulator_enter(s, g, time, GOTRACE_GO_RUNNING);
    g->changes = s->n_changes;
    return histogram_add(&s->syscalls, duration);
}

/* Where a goroutine is created, and the stack that stands for its `go` statement. */
struct accumulator_origin {
    uint32_t stack;
    uint32_t creator;
};

/* A goroutine is created. *ret is NULL if there is no place for it. */
static HOT int accumulator_create(struct accumulator *s, int64_t id,
                                  struct accumulator_origin origin, int64_t time,
                                  struct accumulator_go **ret)
{
    int r = accumulator_go_create(s, id, ret);

    if (r < 0 || !*ret)
        return r;
    if (s->n_runnable == 0)
        accumulator_advance(s, time);
    if (__builtin_expect(origin.stack == SITES_NO_STACK, 0))
        sites_add(&s->sites, origin.creator, SITES_BY_TIMER, 0);
    accumulator_note_creation(s, *ret, origin.creator, time);
    accumulator_wait(s, *ret, origin.stack, time);
    return 0;
}

/* The goroutine ends. It must have no open region. */
static HOT void accumulator_destroy(struct accumulator *s, struct accumulator_go *g,
                                    struct accumulator_proc *p, int64_t time)
{
    s->out->goroutines.ended++;
    s->alive--;
    s->sites.stacks[g->creator].ended++;
    accumulator_leave(s, g, p, time);
    accumulator_enter(s, g, time, GOTRACE_GO_NOT_EXIST);
    accumulator_go_forget(s, g);
}

/* Whether the goroutine can begin a region without this making it work for another task. */
static inline bool accumulator_can_begin_region(const struct accumulator *s,
                                                const struct accumulator_go *g, uint64_t task)
{
    return s->regions.free != 0 &&
           (task == 0 || (g->worker != 0 && tasks_worker(&s->tasks, g->worker)->id == task));
}

static HOT void accumulator_begin_region(struct accumulator *s, struct accumulator_go *g,
                                         uint32_t type, int64_t time)
{
    uint32_t n = s->regions.free - 1;

    s->regions.free = s->regions.list[n].next;
    types_get(&s->region_types, type)->open++;
    types_hold(&s->region_types, type);
    s->regions.list[n] = (struct accumulator_open){.since = time, .type = type, .next = g->regions};
    g->regions = n + 1;
}

/* Whether the goroutine's innermost region is the one that began at that time, and ends now without
 * being one of the longest, or changing what the goroutine works for. */
static inline bool accumulator_can_end_region(const struct accumulator *s,
                                              const struct accumulator_go *g, int64_t since,
                                              int64_t time)
{
    const struct accumulator_open *open;

    if (g->regions == 0)
        return false;
    open = &s->regions.list[g->regions - 1];
    return open->since == since && open->task == 0 &&
           time - since <= s->slow.floors[SUMMARY_SLOW_REGIONS];
}

static HOT int accumulator_end_region(struct accumulator *s, struct accumulator_go *g, int64_t time)
{
    struct accumulator_open *open = &s->regions.list[g->regions - 1];
    uint32_t type = open->type, n = g->regions;
    int r;

    g->regions = open->next;
    open->next = s->regions.free;
    s->regions.free = n;
    types_get(&s->region_types, type)->open--;
    r = types_add(&s->region_types, type, time - open->since);
    types_release(&s->region_types, type);
    return r;
}

/* The goroutine becomes runnable, by another one or none. The sums by conditions depend on whether
 * any goroutine is runnable, but not on how many: so accumulator_advance is needed only for the
 * first one. */
static HOT void accumulator_unblock(struct accumulator *s, struct accumulator_go *g,
                                    struct accumulator_reason *reason, int64_t waker,
                                    uint32_t stack, int64_t time)
{
    int64_t duration = time - g->since;

    if (__builtin_expect(duration >= ACCUMULATOR_LONG, 0))
        accumulator_waited(s, g, waker, stack, time);
    if (s->n_runnable == 0)
        accumulator_advance(s, time);
    reason->total += duration;
    if (duration > reason->max)
        reason->max = duration;
    if (sites_count(&s->sites, g->stack, reason->column, duration))
        accumulator_long_wait(s, g, time);
    accumulator_wait(s, g, stack, time);
}
