/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "trace/reader/order.h"
#include "trace/reader/order_hot.h"

/* The user's view of a status. */
static const uint8_t visible[N_GO_STATUS] = {
    [GO_BAD] = GOTRACE_GO_UNDETERMINED, [GO_RUNNABLE] = GOTRACE_GO_RUNNABLE,
    [GO_RUNNING] = GOTRACE_GO_RUNNING,  [GO_SYSCALL] = GOTRACE_GO_SYSCALL,
    [GO_WAITING] = GOTRACE_GO_WAITING,
};

static void put_on(struct cursor *c, struct goroutine *g)
{
    c->thread->g = g->id;
    c->thread->gp = g;
}

static void take_off(struct cursor *c)
{
    c->thread->g = GOTRACE_NONE;
    c->thread->gp = NULL;
}

int order_not_started(struct order *o, const struct cursor *c)
{
    const struct goroutine *g = resources_goroutine(&o->res, (int64_t)c->args[0]);

    if (!g || g->status != GO_RUNNABLE || !order_follows_on(o, c->args[1], g))
        return 0;
    if (!c->thread->p)
        return order_need(o, c, true, false);
    return order_bad(o, c, "goroutine %" PRId64 " runs on the thread already", c->thread->g);
}

int order_not_running(struct order *o, const struct cursor *c)
{
    int r = order_user(o, c);

    if (r < 0)
        return r;
    if (!resources_current(&o->res, c->thread))
        return order_bad(o, c, "goroutine %" PRId64 " does not exist", c->thread->g);
    return order_bad(o, c, "goroutine %" PRId64 " does not run", c->thread->g);
}

static int new_goroutine(struct order *o, struct cursor *c, uint8_t status, struct goroutine **ret)
{
    int64_t id = (int64_t)c->args[0];
    struct goroutine *g;
    int r;

    if (id < 0)
        return order_bad(o, c, "goroutine %" PRIu64 " is beyond all numbers", c->args[0]);
    r = resources_new_goroutine(&o->res, id, &g);
    if (r == -EEXIST)
        return order_bad(o, c, "goroutine %" PRId64 " exists already", id);
    if (r < 0)
        return order_no_memory(o, c, r);
    g->status = status;
    *ret = g;
    return 0;
}

/* Created by a goroutine, or by the runtime on a proc without one. */
int order_go_create(struct order *o, struct cursor *c)
{
    bool blocked = c->type == GOTRACE_EV_GO_CREATE_BLOCKED;
    struct gotrace_event *e;
    struct goroutine *g;
    int r = order_has_proc(o, c);

    if (r < 0)
        return r;
    g = resources_current(&o->res, c->thread);
    if (g && g->status != GO_RUNNING)
        return order_bad(o, c, "goroutine %" PRId64 " does not run", g->id);
    r = new_goroutine(o, c, blocked ? GO_WAITING : GO_RUNNABLE, &g);
    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    r = order_stack(o, c, c->args[1], &e->new_stack);
    if (r == 0)
        r = order_stack(o, c, c->args[2], &e->stack);
    return r < 0 ? r : 1;
}

int order_go_destroy(struct order *o, struct cursor *c)
{
    struct goroutine *g = NULL;
    int r = order_running(o, c, &g);

    if (r < 0)
        return r;
    order_emit(o, c, GOTRACE_EV_GO_DESTROY)->args[0] = (uint64_t)g->id;
    resources_end_goroutine(&o->res, g);
    take_off(c);
    return 1;
}

/*
 * A goroutine hands its thread to another one: three events in one. The other is unblocked, this
 * one blocks or ends, and the other starts.
 */
int order_go_switch(struct order *o, struct cursor *c)
{
    struct goroutine *g = NULL, *next;
    int r = order_running(o, c, &g);

    if (r < 0)
        return r;
    next = order_can_unblock(o, c);
    if (!next)
        return 0;
    order_emit(o, c, c->type)->args[0] = c->args[0];
    if (c->type == GOTRACE_EV_GO_SWITCH) {
        g->status = GO_WAITING;
        order_emit(o, c, GOTRACE_EV_GO_BLOCK)->args[0] = (uint64_t)g->id;
    } else {
        order_emit(o, c, GOTRACE_EV_GO_DESTROY)->args[0] = (uint64_t)g->id;
        resources_end_goroutine(&o->res, g);
        next = resources_goroutine(&o->res, (int64_t)c->args[0]); /* it may have moved */
    }
    take_off(c);
    order_emit(o, c, GOTRACE_EV_GO_START)->args[0] = c->args[0];
    order_do_start(c, next);
    return 1;
}

/* The goroutine's state. In the first generation an unknown goroutine is added. */
static int status_of(struct order *o, struct cursor *c, uint8_t *ret_from, struct goroutine **ret)
{
    struct goroutine *g = resources_goroutine(&o->res, (int64_t)c->args[0]);
    uint64_t status = c->args[2];

    if (status >= N_GO_STATUS)
        return order_bad(o, c, "status %" PRIu64 " of a goroutine", status);
    *ret_from = visible[status];
    *ret = g;
    if (g) {
        if (g->status != status)
            return order_bad(o, c, "goroutine %" PRId64 " has the status %u, not %" PRIu64, g->id,
                             g->status, status);
        g->seq = 0;
        g->epoch = o->res.epoch;
        return 0;
    }
    if (!order_in_first(o))
        return order_bad(o, c, "goroutine %" PRIu64 " was never created", c->args[0]);
    *ret_from = GOTRACE_GO_UNDETERMINED;
    return new_goroutine(o, c, (uint8_t)status, ret);
}

/* The status of a goroutine in a syscall on another thread: it is assigned to that thread. */
static int bind_elsewhere(struct order *o, struct cursor *c, struct goroutine *g,
                          struct gotrace_event *e)
{
    int64_t id = (int64_t)c->args[1];
    struct thread *m = resources_thread(&o->res, id);
    int r;

    e->m = id;
    if (m) {
        if (m->g != g->id)
            return order_bad(o, c, "thread %" PRId64 " has goroutine %" PRId64 ", not %" PRId64, id,
                             m->g, g->id);
        e->g = m->g;
        return 0;
    }
    r = resources_new_thread(&o->res, id, &m);
    if (r < 0)
        return order_no_memory(o, c, r);
    m->g = g->id;
    m->gp = g;
    return 0;
}

static int bind_in_syscall(struct order *o, struct cursor *c, struct goroutine *g,
                           struct gotrace_event *e)
{
    int64_t id = (int64_t)c->args[1];

    if (id == GOTRACE_NONE)
        return order_bad(o, c, "goroutine %" PRId64 " is in a syscall on no thread", g->id);
    if (id != c->m)
        return bind_elsewhere(o, c, g, e);
    if (!order_in_first(o) && c->thread->g != g->id)
        return order_bad(o, c, "the thread has goroutine %" PRId64 ", not %" PRId64, c->thread->g,
                         g->id);
    put_on(c, g);
    return 0;
}

int order_go_status(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    struct goroutine *g = NULL;
    uint8_t from = 0;
    int r = status_of(o, c, &from, &g);

    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    e->args[1] = c->args[1];
    e->from = from;
    e->to = visible[g->status];
    if (c->type == GOTRACE_EV_GO_STATUS_STACK)
        r = order_stack(o, c, c->args[3], &e->stack);
    if (r < 0)
        return r;
    if (g->status == GO_RUNNING)
        put_on(c, g);
    else if (g->status == GO_SYSCALL)
        r = bind_in_syscall(o, c, g, e);
    return r < 0 ? r : 1;
}

int order_go_start(struct order *o, struct cursor *c)
{
    return order_hot_start(o, c);
}

int order_go_stop(struct order *o, struct cursor *c)
{
    return order_hot_stop(o, c);
}

int order_go_unblock(struct order *o, struct cursor *c)
{
    return order_hot_unblock(o, c);
}
