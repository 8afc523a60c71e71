/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The order of the events that most of a trace consists of: goroutines that start, stop, block and
 * are unblocked. They are here so that the loop that takes a thread's turn has them inside of it;
 * order.h tells what they return.
 */

#include <inttypes.h>

#include "trace/order.h"

static inline void order_put_on(struct cursor *c, struct goroutine *g) {
    c->thread->g = g->id;
    c->thread->gp = g;
}

static inline void order_take_off(struct cursor *c) {
    c->thread->g = GOTRACE_NONE;
    c->thread->gp = NULL;
}

/* The goroutine that runs on the thread; every event that asks for it must be able to go on. */
static inline int order_running(struct order *o, struct cursor *c, struct goroutine **ret) {
    struct goroutine *g;

    if (order_user(o, c) < 0)
        return o->fault->code;
    g = resources_current(&o->res, c->thread);
    if (!g)
        return order_bad(o, c, "goroutine %" PRId64 " does not exist", c->thread->g);
    if (g->status != GO_RUNNING)
        return order_bad(o, c, "goroutine %" PRId64 " does not run", g->id);
    *ret = g;
    return 0;
}

static inline int order_hot_start(struct order *o, struct cursor *c) {
    struct goroutine *g = resources_goroutine(&o->res, (int64_t) c->args[0]);

    if (!g || g->status != GO_RUNNABLE || !order_follows_on(o, c->args[1], g))
        return 0;
    if (!c->thread->p)
        return order_need(o, c, true, false);
    if (c->thread->g >= 0)
        return order_bad(o, c, "goroutine %" PRId64 " runs on the thread already", c->thread->g);
    order_emit(o, c, GOTRACE_EV_GO_START)->args[0] = c->args[0];
    g->status = GO_RUNNING;
    g->seq = c->args[1];
    order_put_on(c, g);
    return 1;
}

/* Stops to be run again, or blocks. */
static inline int order_hot_stop(struct order *o, struct cursor *c) {
    struct gotrace_event *e;
    struct goroutine *g = NULL;
    int r = order_running(o, c, &g);

    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->args[0] = (uint64_t) g->id;
    r = order_string(o, c, c->args[0], &e->string);
    if (r == 0)
        r = order_stack(o, c, c->args[1], &e->stack);
    if (r < 0)
        return r;
    g->status = c->type == GOTRACE_EV_GO_STOP ? GO_RUNNABLE : GO_WAITING;
    order_take_off(c);
    return 1;
}

/* Anything may unblock a goroutine, also what runs on no proc. */
static inline int order_hot_unblock(struct order *o, struct cursor *c) {
    struct goroutine *g = resources_goroutine(&o->res, (int64_t) c->args[0]);
    struct gotrace_event *e;
    int r;

    if (!g || g->status != GO_WAITING || !order_follows_on(o, c->args[1], g))
        return 0;
    g->status = GO_RUNNABLE;
    g->seq = c->args[1];
    e = order_emit(o, c, GOTRACE_EV_GO_UNBLOCK);
    e->args[0] = c->args[0];
    r = order_stack(o, c, c->args[2], &e->stack);
    return r < 0 ? r : 1;
}

/* Any event, by its type. */
static inline int order_event(struct order *o, struct cursor *c) {
    switch (c->type) {
    case GOTRACE_EV_GO_START:
        return order_hot_start(o, c);
    case GOTRACE_EV_GO_UNBLOCK:
        return order_hot_unblock(o, c);
    case GOTRACE_EV_GO_BLOCK:
    case GOTRACE_EV_GO_STOP:
        return order_hot_stop(o, c);
    default:
        return order_table[c->type](o, c);
    }
}
