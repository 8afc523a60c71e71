/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "trace/reader/order.h"

#define NO_TASK UINT64_MAX

/* The size of the heap, or its goal: told by whoever has a proc. */
int order_metric(struct order *o, struct cursor *c)
{
    int r = order_has_proc(o, c);

    if (r < 0)
        return r;
    order_emit(o, c, c->type)->args[0] = c->args[0];
    return 1;
}

int order_procs_change(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    int r = order_user(o, c);

    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    r = order_stack(o, c, c->args[1], &e->stack);
    return r < 0 ? r : 1;
}

int order_label(struct order *o, struct cursor *c)
{
    int r = order_user(o, c);

    if (r == 0)
        r = order_string(o, c, c->args[0], &order_emit(o, c, c->type)->string);
    return r < 0 ? r : 1;
}

int order_log(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    int r = order_user(o, c);

    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    r = order_string(o, c, c->args[1], &e->string);
    if (r == 0)
        r = order_string(o, c, c->args[2], &e->message);
    if (r == 0)
        r = order_stack(o, c, c->args[3], &e->stack);
    return r < 0 ? r : 1;
}

int order_experimental(struct order *o, struct cursor *c)
{
    unsigned n = specs[c->type].n_args;
    struct gotrace_event *e;

    if (c->m == GOTRACE_NONE)
        return order_need(o, c, false, false);
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    e->args[1] = n > 1 ? c->args[1] : 0;
    e->third = n > 2 ? c->args[2] : 0;
    return 1;
}

static int name_of(struct order *o, const struct cursor *c, uint32_t handle, struct name **ret)
{
    int r = strings_name(&o->gen->strings, handle, ret);

    return r < 0 ? order_no_memory(o, c, r) : 0;
}

/*
 * What the begin of a task and both ends of a region say: a number, then at `string` the name of a
 * type, with the stack behind it.
 */
static int typed(struct order *o, struct cursor *c, unsigned string, struct gotrace_event **ret_e,
                 struct name **ret_type)
{
    struct gotrace_event *e;
    int r = order_user(o, c);

    if (r < 0)
        return r;
    *ret_e = e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    r = order_string(o, c, c->args[string], &e->string);
    if (r == 0)
        r = order_stack(o, c, c->args[string + 1], &e->stack);
    return r < 0 ? r : name_of(o, c, e->string, ret_type);
}

/* A number may be used again, but not while its task lasts. Parent 0 means none. */
int order_task_begin(struct order *o, struct cursor *c)
{
    uint64_t parent = c->args[1] == 0 ? NO_TASK : c->args[1];
    struct gotrace_event *e;
    struct name *type;
    int r = typed(o, c, 2, &e, &type);

    if (r < 0)
        return r;
    e->args[1] = parent;
    r = resources_begin_task(&o->res, &(struct task){c->args[0], parent, type, e->time});
    if (r == -EEXIST)
        return order_bad(o, c, "task %" PRIu64 " has begun already", c->args[0]);
    return r < 0 ? order_no_memory(o, c, r) : 1;
}

int order_task_end(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    struct task task;
    int r = order_user(o, c);

    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    e->args[1] = NO_TASK;
    e->third = GOTRACE_UNKNOWN;
    r = order_stack(o, c, c->args[1], &e->stack);
    if (r < 0)
        return r;
    if (!resources_end_task(&o->res, c->args[0], &task))
        return 1;
    e->args[1] = task.parent;
    e->third = (uint64_t)e->time - (uint64_t)task.since;
    r = strings_of_name(&o->gen->strings, task.type, &e->string);
    name_release(&o->gen->strings, task.type);
    return r < 0 ? order_no_memory(o, c, r) : 1;
}

/* The fields that begin and end of a region share. */
static int region(struct order *o, struct cursor *c, struct goroutine **ret_g,
                  struct gotrace_event **ret_e, struct name **ret_type)
{
    int r = typed(o, c, 1, ret_e, ret_type);

    if (r < 0)
        return r;
    *ret_g = resources_current(&o->res, c->thread);
    if (!*ret_g)
        return order_bad(o, c, "goroutine %" PRId64 " does not exist", c->thread->g);
    return 0;
}

int order_region_begin(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    struct goroutine *g;
    struct name *type;
    int r = region(o, c, &g, &e, &type);

    if (r < 0)
        return r;
    r = resources_push_region(&o->res, g, &(struct region){c->args[0], type, e->time});
    return r < 0 ? order_no_memory(o, c, r) : 1;
}

/*
 * The innermost region should end; of those that began before the trace nothing is known. Go's
 * reader stops at another one. That is the program's mistake and touches nothing but its regions,
 * so the one that is meant ends here, or none if there is no such region.
 */
int order_region_end(struct order *o, struct cursor *c)
{
    struct goroutine_more *more;
    struct gotrace_event *e;
    struct goroutine *g;
    struct region found;
    struct name *type;
    int r = region(o, c, &g, &e, &type);

    if (r < 0)
        return r;
    e->third = GOTRACE_UNKNOWN;
    more = resources_has_more(&o->res, g);
    if (!more || more->n_regions == 0)
        return 1;
    r = resources_pull_region(more, c->args[0], type, &found);
    e->args[1] = r < 0 ? GOTRACE_UNKNOWN : (uint64_t)r;
    if (r < 0)
        return 1;
    e->third = (uint64_t)e->time - (uint64_t)found.since;
    name_release(&o->gen->strings, found.type);
    return 1;
}
