/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The order of the events that most of a trace consists of: goroutines that start, stop, block, are
 * unblocked, and are in a syscall; regions and sweeps. They are here so that the loops that take a
 * thread's turn have them inside of them. order_can_… says whether the cursor's event may come now
 * and changes nothing; order_do_… lets it come. order.h tells what order_hot_… return.
 */

#include <inttypes.h>

#include "trace/reader/order.h"

/* The goroutine that starts, on a thread with a proc; NULL: it must wait, or something is wrong. */
static inline struct goroutine *order_can_start(const struct order *o, const struct cursor *c)
{
    struct goroutine *g = resources_place(&o->res, (int64_t)c->args[0]);

    if (g->status != GO_RUNNABLE || !order_follows_on(o, c->args[1], g))
        return NULL;
    return __builtin_expect(c->thread->g < 0, 1) ? g : NULL;
}

static inline void order_do_start(const struct cursor *c, struct goroutine *g)
{
    g->status = GO_RUNNING;
    g->seq = c->args[1];
    c->thread->g = g->id;
    c->thread->gp = g;
}

/*
 * The goroutine that runs on a thread with a proc, where it was before; NULL: it has moved, or
 * something is wrong. A place that is free has no status.
 */
static inline struct goroutine *order_at_hand(const struct cursor *c)
{
    struct goroutine *g = c->thread->gp;

    return __builtin_expect(g && g->id == c->thread->g && g->status == GO_RUNNING, 1) ? g : NULL;
}

/* The goroutine that runs on the thread, and so may do anything; NULL: something is wrong. */
static inline struct goroutine *order_can_act(const struct order *o, const struct cursor *c)
{
    struct goroutine *g;

    if (!c->thread->p || c->thread->g < 0)
        return NULL;
    g = resources_current(&o->res, c->thread);
    return g && g->status == GO_RUNNING ? g : NULL;
}

static inline void order_do_stop(const struct cursor *c, struct goroutine *g, uint8_t status)
{
    g->status = status;
    c->thread->g = GOTRACE_NONE;
    c->thread->gp = NULL;
}

/* It keeps the proc, whose sequence number this is. */
static inline void order_do_syscall(struct goroutine *g, struct proc *p, uint64_t n)
{
    g->status = GO_SYSCALL;
    p->status = PROC_SYSCALL;
    p->seq.n = n;
}

/* The goroutine of a thread that has a proc, both in a syscall; NULL: something else is so. */
static inline struct goroutine *order_can_end_syscall(const struct cursor *c)
{
    struct goroutine *g = c->thread->gp;

    if (!g || g->id != c->thread->g || g->status != GO_SYSCALL)
        return NULL;
    return __builtin_expect(c->thread->p->status == PROC_SYSCALL, 1) ? g : NULL;
}

static inline void order_do_end_syscall(struct goroutine *g, struct proc *p)
{
    g->status = GO_RUNNING;
    p->status = PROC_RUNNING;
}

/* The goroutine that waits and is unblocked, by anyone; NULL: not yet. */
static inline struct goroutine *order_can_unblock(const struct order *o, const struct cursor *c)
{
    struct goroutine *g = resources_place(&o->res, (int64_t)c->args[0]);

    return g->status == GO_WAITING && order_follows_on(o, c->args[1], g) ? g : NULL;
}

static inline void order_do_unblock(const struct cursor *c, struct goroutine *g)
{
    g->status = GO_RUNNABLE;
    g->seq = c->args[1];
}

/* The type of a region's begin or end, met before in this generation; NULL: not so, or wrong. */
static inline struct name *order_region_type(const struct order *o, const struct cursor *c,
                                             uint32_t *ret_string)
{
    uint32_t string = strings_handle(&o->gen->strings, c->args[1]);

    *ret_string = string;
    if (string == IDMAP_NONE || string == 0 ||
        stacks_handle(&o->gen->stacks, c->args[2]) == IDMAP_NONE)
        return NULL;
    return o->gen->strings.list[string - 1].name;
}

/* The goroutine's regions, with room for one more; NULL: there is none yet. */
static inline struct goroutine_more *order_can_begin_region(const struct order *o,
                                                            const struct goroutine *g)
{
    struct goroutine_more *more = resources_has_more(&o->res, g);

    return more && more->n_regions < more->regions_cap ? more : NULL;
}

static inline void order_do_begin_region(struct goroutine_more *more, uint64_t task,
                                         struct name *type, int64_t time)
{
    more->regions[more->n_regions++] = (struct region){task, type, time};
    name_hold(type);
}

/* The goroutine's innermost region, which is the one that ends; NULL: it is another, or none. */
static inline const struct region *order_can_end_region(const struct goroutine_more *more,
                                                        uint64_t task, const struct name *type)
{
    const struct region *last;

    if (!more || more->n_regions == 0)
        return NULL;
    last = &more->regions[more->n_regions - 1];
    return last->task == task && last->type == type ? last : NULL;
}

static inline void order_do_end_region(struct order *o, struct goroutine_more *more)
{
    name_release(&o->gen->strings, more->regions[--more->n_regions].type);
}

/* A sweep on a thread's proc that is in nothing else, as it always is. */
static inline bool order_can_begin_sweep(const struct proc *p)
{
    return p->ranges.n == 0;
}

static inline void order_do_begin_sweep(struct proc *p)
{
    p->ranges.list[p->ranges.n++] = (struct range){.type = GOTRACE_EV_GC_SWEEP_BEGIN};
}

static inline bool order_can_end_sweep(const struct proc *p)
{
    return p->ranges.n == 1 && p->ranges.list[0].type == GOTRACE_EV_GC_SWEEP_BEGIN;
}

static inline void order_do_end_sweep(struct proc *p)
{
    p->ranges.n = 0;
}

/* The cold halves: 0 for what must wait, or an error. */
int order_not_started(struct order *o, const struct cursor *c) __attribute__((cold));
int order_not_running(struct order *o, const struct cursor *c) __attribute__((cold));

/* The goroutine that runs on the thread, or an error. */
static inline int order_running(struct order *o, const struct cursor *c, struct goroutine **ret)
{
    *ret = order_can_act(o, c);
    return __builtin_expect(*ret != NULL, 1) ? 0 : order_not_running(o, c);
}

static inline int order_hot_start(struct order *o, struct cursor *c)
{
    struct goroutine *g = __builtin_expect(c->thread->p != NULL, 1) ? order_can_start(o, c) : NULL;

    if (__builtin_expect(!g, 0))
        return order_not_started(o, c);
    order_emit(o, c, GOTRACE_EV_GO_START)->args[0] = c->args[0];
    order_do_start(c, g);
    return 1;
}

/* Stops to be run again, or blocks. */
static inline int order_hot_stop(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    struct goroutine *g;
    int r = order_running(o, c, &g);

    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->args[0] = (uint64_t)g->id;
    r = order_string(o, c, c->args[0], &e->string);
    if (r == 0)
        r = order_stack(o, c, c->args[1], &e->stack);
    if (r < 0)
        return r;
    order_do_stop(c, g, c->type == GOTRACE_EV_GO_STOP ? GO_RUNNABLE : GO_WAITING);
    return 1;
}

static inline int order_hot_unblock(struct order *o, struct cursor *c)
{
    struct goroutine *g = order_can_unblock(o, c);
    struct gotrace_event *e;
    int r;

    if (!g)
        return 0;
    order_do_unblock(c, g);
    e = order_emit(o, c, GOTRACE_EV_GO_UNBLOCK);
    e->args[0] = c->args[0];
    r = order_stack(o, c, c->args[2], &e->stack);
    return r < 0 ? r : 1;
}

/* Any event, by its type. */
static inline int order_event(struct order *o, struct cursor *c)
{
    switch (c->type) {
    case GOTRACE_EV_GO_START: return order_hot_start(o, c);
    case GOTRACE_EV_GO_UNBLOCK: return order_hot_unblock(o, c);
    case GOTRACE_EV_GO_BLOCK:
    case GOTRACE_EV_GO_STOP: return order_hot_stop(o, c);
    default: return order_table[c->type](o, c);
    }
}
