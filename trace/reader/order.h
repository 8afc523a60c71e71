/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The order of events: which of the threads' next events can come next, given what is known about
 * goroutines and procs, and what it then changes. Timestamps of different threads are not to be
 * trusted; the sequence numbers of goroutines and procs are. The rules are those of ordering in
 * internal/trace/order.go, and so is every check.
 *
 * order.c calls one function for each type of event. Such a function returns 1 if the event came
 * next, and has then added it, or what it stands for, to the events to be handed out; 0 if it must
 * wait for another thread; or an error as gotrace_next.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "trace/common/fault.h"
#include "trace/gotrace.h"
#include "trace/reader/cursor.h"
#include "trace/reader/generation.h"
#include "trace/reader/resources.h"

/* How many events are returned at once: few enough for the first-level cache. */
#define ORDER_OUT 128

/* How many events one event of the trace may become: GoSwitch stands for three. */
#define ORDER_MAX_ADDED 3

enum gc_state { GC_UNDETERMINED, GC_NOT_RUNNING, GC_RUNNING };

struct order {
    struct gotrace_event out[ORDER_OUT];
    struct gotrace_event *next;       /* in `out`: the next free place */
    struct gotrace_event *last_begin; /* in `out`: behind this no event of the trace begins */
    int64_t last_time;
    struct generation *gen;
    struct fault *fault;
    struct resources res;
    uint64_t first_generation; /* 0: none yet */
    uint64_t gc_seq;
    enum gc_state gc;
    struct thread nobody; /* used as the thread of events without one */
};

void order_init(struct order *o, struct generation *gen, struct memory *mem, struct fault *fault,
                uint64_t seed);
void order_done(struct order *o);

typedef int order_fn(struct order *o, struct cursor *c);

extern order_fn *const order_table[256];

/* Finds the cursor's thread. Call it before its first event is tried, and before each event without
 * a thread. */
int order_enter(struct order *o, struct cursor *c);

/* A CPU sample comes next. 1, or an error. */
int order_sample(struct order *o, const struct sample *sample);

/* A generation starts (at this time of the trace's clock), or the trace ends. */
void order_sync(struct order *o, bool ends, uint64_t count);

/* Reports an error at the cursor's event. */
int order_bad(struct order *o, const struct cursor *c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));
int order_no_memory(struct order *o, const struct cursor *c, int r) __attribute__((cold));

/* The time for the next event: later than all before. */
static inline int64_t order_time(const struct order *o, int64_t time)
{
    return time > o->last_time ? time : (int64_t)((uint64_t)o->last_time + 1);
}

/* The next event to return. */
static inline struct gotrace_event *order_add(struct order *o, uint8_t type, int64_t time)
{
    struct gotrace_event *e = o->next++;

    e->time = o->last_time = order_time(o, time);
    memcpy(&e->type, specs[type].head, sizeof(specs[type].head));
    memset(e->args, 0, sizeof(*e) - offsetof(struct gotrace_event, args));
    return e;
}

/* The same for the cursor's event, with the thread's present context. */
static inline struct gotrace_event *order_emit(struct order *o, const struct cursor *c,
                                               uint8_t type)
{
    struct gotrace_event *e = order_add(o, type, c->time);

    e->g = c->thread->g;
    e->m = c->m;
    e->p = c->thread->pid;
    return e;
}

/* Whether a sequence number is the direct successor. */
static inline bool order_follows(const struct order *o, uint64_t n, const struct sequence *seq)
{
    return o->gen->number == seq->generation && n == seq->n + 1;
}

static inline struct sequence order_seq(const struct order *o, uint64_t n)
{
    return (struct sequence){o->gen->number, n};
}

/* The same for a goroutine. */
static inline bool order_follows_on(const struct order *o, uint64_t n, const struct goroutine *g)
{
    return o->res.epoch == g->epoch && n == g->seq + 1;
}

static inline bool order_in_first(const struct order *o)
{
    return o->gen->number == o->first_generation;
}

int order_need(struct order *o, const struct cursor *c, bool p, bool g) __attribute__((cold));

/* A thread with a proc and a goroutine, as user code has; -EBADMSG otherwise. */
static inline int order_user(struct order *o, const struct cursor *c)
{
    if (__builtin_expect(c->thread->p && c->thread->g >= 0, 1))
        return 0;
    return order_need(o, c, true, true);
}

static inline int order_has_proc(struct order *o, const struct cursor *c)
{
    if (__builtin_expect(c->thread->p != NULL, 1))
        return 0;
    return order_need(o, c, true, false);
}

/* Ids of stacks and strings as handles. */
int order_no_stack(struct order *o, const struct cursor *c, uint64_t id) __attribute__((cold));
int order_no_string(struct order *o, const struct cursor *c, uint64_t id) __attribute__((cold));

static inline int order_stack(struct order *o, const struct cursor *c, uint64_t id, uint32_t *ret)
{
    *ret = stacks_handle(&o->gen->stacks, id);
    return __builtin_expect(*ret != IDMAP_NONE, 1) ? 0 : order_no_stack(o, c, id);
}

static inline int order_string(struct order *o, const struct cursor *c, uint64_t id, uint32_t *ret)
{
    *ret = strings_handle(&o->gen->strings, id);
    return __builtin_expect(*ret != IDMAP_NONE, 1) ? 0 : order_no_string(o, c, id);
}

/* order_proc.c */
order_fn order_proc_start, order_proc_stop, order_proc_steal, order_proc_status;

/* order_go.c */
order_fn order_go_create, order_go_start, order_go_destroy, order_go_stop, order_go_unblock;
order_fn order_go_switch, order_go_status;

/* order_syscall.c */
order_fn order_go_create_syscall, order_go_destroy_syscall, order_go_syscall_begin;
order_fn order_go_syscall_end, order_go_syscall_end_blocked;

/* order_gc.c */
order_fn order_gc_active, order_gc_begin, order_gc_end;
order_fn order_sweep_active, order_sweep_begin, order_sweep_end;
order_fn order_assist_active, order_assist_begin, order_assist_end;
order_fn order_stw_begin, order_stw_end;

/* order_user.c */
order_fn order_metric, order_procs_change, order_label, order_log, order_experimental;
order_fn order_task_begin, order_task_end, order_region_begin, order_region_end;
