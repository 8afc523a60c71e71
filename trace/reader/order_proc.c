/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "trace/reader/order.h"

/* The user's view of a status: a proc in a syscall has a thread, and so is running. */
static const uint8_t visible[N_PROC_STATUS] = {
    [PROC_BAD] = GOTRACE_PROC_UNDETERMINED,
    [PROC_RUNNING] = GOTRACE_PROC_RUNNING,
    [PROC_IDLE] = GOTRACE_PROC_IDLE,
    [PROC_SYSCALL] = GOTRACE_PROC_RUNNING,
    [PROC_SYSCALL_ABANDONED] = GOTRACE_PROC_IDLE,
};

int order_proc_start(struct order *o, struct cursor *c)
{
    struct proc *p = resources_proc(&o->res, c->args[0]);
    struct gotrace_event *e;

    if (!p || p->status != PROC_IDLE || !order_follows(o, c->args[1], &p->seq) || c->thread->p)
        return 0;
    if (c->m == GOTRACE_NONE)
        return order_need(o, c, false, false);
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    p->status = PROC_RUNNING;
    p->seq.n = c->args[1];
    thread_bind(c->thread, p);
    return 1;
}

/* A thread stops its own proc, and so needs no sequence number. */
int order_proc_stop(struct order *o, struct cursor *c)
{
    struct proc *p = c->thread->p;

    if (!p)
        return order_need(o, c, true, false);
    if (p->status != PROC_RUNNING && p->status != PROC_SYSCALL)
        return order_bad(o, c, "proc %" PRId32 " neither runs nor is in a syscall", p->id);
    order_emit(o, c, c->type)->args[0] = (uint64_t)p->id;
    p->status = PROC_IDLE;
    thread_bind(c->thread, NULL);
    return 1;
}

/* The thread that loses the proc must have it. */
static int check_victim(struct order *o, struct cursor *c, const struct proc *p,
                        struct thread **ret)
{
    int64_t id = (int64_t)c->args[2];
    struct thread *victim = id == c->m ? c->thread : resources_thread(&o->res, id);

    if (!victim)
        return order_bad(o, c, "stolen from thread %" PRId64 ", which does not exist", id);
    if (victim->p != p)
        return order_bad(o, c, "proc %" PRId32 " is not that of thread %" PRId64, p->id, id);
    *ret = victim;
    return 0;
}

/*
 * A proc is stopped from a distance, out of a syscall. Where the syscall was is not known if the
 * proc was abandoned there: then no thread loses it now.
 */
int order_proc_steal(struct order *o, struct cursor *c)
{
    struct proc *p = resources_proc(&o->res, c->args[0]);
    struct gotrace_event *e;
    struct thread *victim = NULL;

    if (!p || (p->status != PROC_SYSCALL && p->status != PROC_SYSCALL_ABANDONED) ||
        !order_follows(o, c->args[1], &p->seq))
        return 0;
    if (c->m == GOTRACE_NONE)
        return order_need(o, c, false, false);
    if (p->status == PROC_SYSCALL) {
        int r = check_victim(o, c, p, &victim);

        if (r < 0)
            return r;
    }
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    e->args[1] = c->args[2];
    if (p->status == PROC_SYSCALL_ABANDONED)
        e->from = GOTRACE_PROC_IDLE;
    p->status = PROC_IDLE;
    p->seq.n = c->args[1];
    if (victim)
        thread_bind(victim, NULL);
    return 1;
}

/* A status of a proc that is known already; ret_status and ret_from are to be reported. */
static int check_known(struct order *o, const struct cursor *c, const struct proc *p,
                       uint8_t *ret_status, uint8_t *ret_from)
{
    uint8_t status = (uint8_t)c->args[1];

    if (status == PROC_SYSCALL_ABANDONED && p->status == PROC_SYSCALL) {
        /* The beginning of the syscall was seen, so nothing is lost. */
        *ret_status = PROC_SYSCALL;
        *ret_from = GOTRACE_PROC_RUNNING;
        return 0;
    }
    if (p->status != status)
        return order_bad(o, c, "proc %" PRId32 " has the status %u, not %u", p->id, p->status,
                         status);
    *ret_status = status;
    *ret_from = visible[status];
    return 0;
}

static int new_proc(struct order *o, const struct cursor *c, struct proc **ret)
{
    int r;

    if (c->args[0] > INT32_MAX)
        return order_bad(o, c, "proc %" PRIu64 " is beyond all numbers", c->args[0]);
    r = resources_new_proc(&o->res, (int32_t)c->args[0], ret);
    if (r < 0)
        return order_no_memory(o, c, r);
    (*ret)->status = (uint8_t)c->args[1];
    return 0;
}

int order_proc_status(struct order *o, struct cursor *c)
{
    struct proc *p = resources_proc(&o->res, c->args[0]);
    uint64_t written = c->args[1];
    uint8_t status = (uint8_t)written;
    uint8_t from = order_in_first(o) ? GOTRACE_PROC_UNDETERMINED : GOTRACE_PROC_NOT_EXIST;
    struct thread *owner = c->thread;
    struct gotrace_event *e;
    int r;

    if (written >= N_PROC_STATUS)
        return order_bad(o, c, "status %" PRIu64 " of a proc", written);
    r = p ? check_known(o, c, p, &status, &from) : new_proc(o, c, &p);
    if (r < 0)
        return r;
    p->seq = order_seq(o, 0);
    if (written == PROC_SYSCALL_ABANDONED && status == PROC_SYSCALL) {
        /* The status comes from another thread, which is about to steal the proc. */
        owner = p->threads;
        if (!owner)
            return order_bad(o, c, "no thread has proc %" PRId32 ", which is about to be stolen",
                             p->id);
    }
    e = order_emit(o, c, c->type);
    e->m = owner == c->thread ? c->m : owner->id;
    e->g = owner->g;
    e->p = owner->pid;
    e->args[0] = c->args[0];
    e->from = from;
    e->to = visible[status];
    if ((written == PROC_RUNNING || written == PROC_SYSCALL) && c->m != GOTRACE_NONE)
        thread_bind(c->thread, p);
    return 1;
}
