/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/order.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static order_fn unexpected;

#define EV(type) [GOTRACE_EV_##type]

/* cursor_next returns only timed events (specs.c), and each of those is in this table. */
order_fn *const order_table[256] = {
    [EV_CLOCK_SNAPSHOT] = unexpected,
    EV(PROCS_CHANGE) = order_procs_change,
    EV(PROC_START) = order_proc_start,
    EV(PROC_STOP) = order_proc_stop,
    EV(PROC_STEAL) = order_proc_steal,
    EV(PROC_STATUS) = order_proc_status,

    EV(GO_CREATE) = order_go_create,
    EV(GO_CREATE_BLOCKED) = order_go_create,
    EV(GO_CREATE_SYSCALL) = order_go_create_syscall,
    EV(GO_START) = order_go_start,
    EV(GO_DESTROY) = order_go_destroy,
    EV(GO_DESTROY_SYSCALL) = order_go_destroy_syscall,
    EV(GO_STOP) = order_go_stop,
    EV(GO_BLOCK) = order_go_stop,
    EV(GO_UNBLOCK) = order_go_unblock,
    EV(GO_SYSCALL_BEGIN) = order_go_syscall_begin,
    EV(GO_SYSCALL_END) = order_go_syscall_end,
    EV(GO_SYSCALL_END_BLOCKED) = order_go_syscall_end_blocked,
    EV(GO_STATUS) = order_go_status,
    EV(GO_STATUS_STACK) = order_go_status,
    EV(GO_SWITCH) = order_go_switch,
    EV(GO_SWITCH_DESTROY) = order_go_switch,

    EV(STW_BEGIN) = order_stw_begin,
    EV(STW_END) = order_stw_end,
    EV(GC_ACTIVE) = order_gc_active,
    EV(GC_BEGIN) = order_gc_begin,
    EV(GC_END) = order_gc_end,
    EV(GC_SWEEP_ACTIVE) = order_sweep_active,
    EV(GC_SWEEP_BEGIN) = order_sweep_begin,
    EV(GC_SWEEP_END) = order_sweep_end,
    EV(GC_MARK_ASSIST_ACTIVE) = order_assist_active,
    EV(GC_MARK_ASSIST_BEGIN) = order_assist_begin,
    EV(GC_MARK_ASSIST_END) = order_assist_end,
    EV(HEAP_ALLOC) = order_metric,
    EV(HEAP_GOAL) = order_metric,

    EV(GO_LABEL) = order_label,
    EV(USER_TASK_BEGIN) = order_task_begin,
    EV(USER_TASK_END) = order_task_end,
    EV(USER_REGION_BEGIN) = order_region_begin,
    EV(USER_REGION_END) = order_region_end,
    EV(USER_LOG) = order_log,

    EV(SPAN) = order_experimental,
    EV(SPAN_ALLOC) = order_experimental,
    EV(SPAN_FREE) = order_experimental,
    EV(HEAP_OBJECT) = order_experimental,
    EV(HEAP_OBJECT_ALLOC) = order_experimental,
    EV(HEAP_OBJECT_FREE) = order_experimental,
    EV(GOROUTINE_STACK) = order_experimental,
    EV(GOROUTINE_STACK_ALLOC) = order_experimental,
    EV(GOROUTINE_STACK_FREE) = order_experimental,
};

void order_init(struct order *o, struct generation *gen, struct memory *mem, struct fault *fault,
                uint64_t seed)
{
    memset(o, 0, sizeof(*o));
    o->gen = gen;
    o->fault = fault;
    o->nobody.id = GOTRACE_NONE;
    o->nobody.g = GOTRACE_NONE;
    o->nobody.pid = GOTRACE_NONE;
    o->next = o->out;
    o->last_begin = o->out + ORDER_OUT - ORDER_MAX_ADDED;
    resources_init(&o->res, mem, &gen->strings, seed);
}

void order_done(struct order *o)
{
    resources_done(&o->res);
}

static int unexpected(struct order *o, struct cursor *c)
{
    return order_bad(o, c, "is no event of a thread");
}

int order_enter(struct order *o, struct cursor *c)
{
    if (c->m == GOTRACE_NONE) {
        thread_bind(&o->nobody, NULL);
        o->nobody.g = GOTRACE_NONE;
        c->thread = &o->nobody;
        return 0;
    }
    c->thread = resources_thread(&o->res, c->m);
    if (!c->thread) {
        int r = resources_new_thread(&o->res, c->m, &c->thread);

        if (r < 0)
            return order_no_memory(o, c, r);
    }
    return 0;
}

int order_sample(struct order *o, const struct sample *sample)
{
    uint32_t stack = stacks_handle(&o->gen->stacks, sample->stack);
    struct gotrace_event *e;

    if (stack == IDMAP_NONE) {
        o->fault->thread = sample->m;
        return fault_set(o->fault, -EBADMSG, o->gen->offset,
                         "CPUSample: there is no stack %" PRIu64, sample->stack);
    }
    e = order_add(o, GOTRACE_EV_CPU_SAMPLE, sample->time);
    e->g = sample->g;
    e->m = sample->m;
    e->p = sample->p;
    e->stack = stack;
    return 1;
}

void order_sync(struct order *o, bool ends, uint64_t count)
{
    int64_t time = ends ? o->last_time : generation_time(o->gen, o->gen->min_time);
    struct gotrace_event *e = order_add(o, GOTRACE_EV_SYNC, time);

    e->g = GOTRACE_NONE;
    e->m = GOTRACE_NONE;
    e->p = GOTRACE_NONE;
    e->args[0] = count;
    e->args[1] = ends ? 0 : o->gen->number;
    o->res.epoch++;
    if (!ends && o->first_generation == 0)
        o->first_generation = o->gen->number;
}
