/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "trace/reader/order.h"

/* The thread's goroutine, which must have this status. */
static int current(struct order *o, struct cursor *c, uint8_t status, struct goroutine **ret)
{
    struct goroutine *g = resources_current(&o->res, c->thread);

    if (!g)
        return order_bad(o, c, "goroutine %" PRId64 " does not exist", c->thread->g);
    if (g->status != status)
        return order_bad(o, c, "goroutine %" PRId64 " %s", g->id,
                         status == GO_RUNNING ? "does not run" : "is not in a syscall");
    *ret = g;
    return 0;
}

/*
 * The goroutine stays on its thread and keeps the proc, until it is stolen. The sequence number is
 * the proc's: it tells a theft from which of its syscalls it was.
 */
int order_go_syscall_begin(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    struct goroutine *g;
    struct proc *p;
    int r = order_user(o, c);

    if (r == 0)
        r = current(o, c, GO_RUNNING, &g);
    if (r < 0)
        return r;
    p = c->thread->p;
    if (!order_follows(o, c->args[0], &p->seq))
        return order_bad(o, c,
                         "%" PRIu64 " does not follow %" PRIu64 " in the sequence of proc %" PRId32,
                         c->args[0], p->seq.n, p->id);
    e = order_emit(o, c, c->type);
    e->args[0] = (uint64_t)g->id;
    r = order_stack(o, c, c->args[1], &e->stack);
    if (r < 0)
        return r;
    g->status = GO_SYSCALL;
    p->status = PROC_SYSCALL;
    p->seq.n = c->args[0];
    return 1;
}

int order_go_syscall_end(struct order *o, struct cursor *c)
{
    struct goroutine *g;
    struct proc *p;
    int r = order_user(o, c);

    if (r == 0)
        r = current(o, c, GO_SYSCALL, &g);
    if (r < 0)
        return r;
    p = c->thread->p;
    if (p->status != PROC_SYSCALL)
        return order_bad(o, c, "proc %" PRId32 " is not in a syscall", p->id);
    order_emit(o, c, c->type)->args[0] = (uint64_t)g->id;
    g->status = GO_RUNNING;
    p->status = PROC_RUNNING;
    return 1;
}

/* It lost its proc meanwhile, so this must wait until that is told; it may have another by now. */
int order_go_syscall_end_blocked(struct order *o, struct cursor *c)
{
    struct goroutine *g;
    int r;

    if (c->thread->p && c->thread->p->status == PROC_SYSCALL)
        return 0;
    if (c->m == GOTRACE_NONE || c->thread->g < 0)
        return order_need(o, c, false, true);
    r = current(o, c, GO_SYSCALL, &g);
    if (r < 0)
        return r;
    order_emit(o, c, c->type)->args[0] = (uint64_t)g->id;
    g->status = GO_RUNNABLE;
    c->thread->g = GOTRACE_NONE;
    c->thread->gp = NULL;
    return 1;
}

/* A thread of C calls into Go: the goroutine for it appears in a syscall. */
int order_go_create_syscall(struct order *o, struct cursor *c)
{
    int64_t id = (int64_t)c->args[0];
    struct goroutine *g;
    int r;

    if (c->m == GOTRACE_NONE)
        return order_need(o, c, false, false);
    if (c->thread->g >= 0)
        return order_bad(o, c, "goroutine %" PRId64 " is on the thread already", c->thread->g);
    if (id < 0)
        return order_bad(o, c, "goroutine %" PRIu64 " is beyond all numbers", c->args[0]);
    if (resources_goroutine(&o->res, id))
        return order_bad(o, c, "goroutine %" PRId64 " exists already", id);
    r = resources_new_goroutine(&o->res, id, &g);
    if (r < 0)
        return order_no_memory(o, c, r);
    g->status = GO_SYSCALL;
    order_emit(o, c, c->type)->args[0] = c->args[0];
    c->thread->g = id;
    c->thread->gp = g;
    return 1;
}

/*
 * The call from C is over. The thread may still have a proc, which is stolen back some time or
 * never; its number may be another thread's by then, so the two part here: first a theft by the
 * thread itself is told.
 */
int order_go_destroy_syscall(struct order *o, struct cursor *c)
{
    struct proc *p = c->thread->p;
    struct goroutine *g;
    int r;

    if (c->m == GOTRACE_NONE || c->thread->g < 0)
        return order_need(o, c, false, true);
    r = current(o, c, GO_SYSCALL, &g);
    if (r < 0)
        return r;
    if (p) {
        if (p->status != PROC_SYSCALL)
            return order_bad(o, c, "proc %" PRId32 " is not in a syscall", p->id);
        order_emit(o, c, GOTRACE_EV_PROC_STEAL)->args[0] = (uint64_t)p->id;
    }
    order_emit(o, c, c->type)->args[0] = (uint64_t)g->id;
    if (p) {
        p->status = PROC_SYSCALL_ABANDONED;
        thread_bind(c->thread, NULL);
    }
    resources_end_goroutine(&o->res, g);
    c->thread->g = GOTRACE_NONE;
    c->thread->gp = NULL;
    return 1;
}
