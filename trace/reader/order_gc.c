/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "trace/reader/order.h"

static bool has_range(const struct ranges *ranges, uint8_t type, uint64_t string)
{
    for (unsigned i = 0; i < ranges->n; i++)
        if (ranges->list[i].type == type && ranges->list[i].string == string)
            return true;
    return false;
}

static int begin_range(struct order *o, const struct cursor *c, struct ranges *ranges, uint8_t type,
                       uint64_t string)
{
    if (has_range(ranges, type, string))
        return order_bad(o, c, "it has begun already");
    if (ranges->n == RANGES_MAX)
        return order_bad(o, c, "more than %d begun and not ended", RANGES_MAX);
    ranges->list[ranges->n++] = (struct range){.string = string, .type = type};
    return 0;
}

/* In the first generation it must be new, in later ones it must be known. */
static int active_range(struct order *o, const struct cursor *c, struct ranges *ranges,
                        uint8_t type)
{
    if (order_in_first(o))
        return begin_range(o, c, ranges, type, 0);
    return has_range(ranges, type, 0) ? 0 : order_bad(o, c, "it has not begun");
}

static int end_range(struct order *o, const struct cursor *c, struct ranges *ranges, uint8_t type,
                     uint64_t *ret_string)
{
    for (unsigned i = 0; ranges && i < ranges->n; i++) {
        if (ranges->list[i].type != type)
            continue;
        *ret_string = ranges->list[i].string;
        ranges->list[i] = ranges->list[--ranges->n];
        return 0;
    }
    return order_bad(o, c, "it has not begun");
}

/*
 * The mark phase begins and ends on different threads; its sequence numbers keep the events of
 * different cycles apart.
 */
static int gc_event(struct order *o, struct cursor *c, enum gc_state state)
{
    o->gc_seq = c->args[0];
    o->gc = state;
    order_emit(o, c, c->type);
    return 1;
}

/* An event that the GC writes only while it runs. */
static int gc_running(struct order *o, struct cursor *c, enum gc_state state)
{
    if (c->args[0] != o->gc_seq + 1)
        return 0;
    if (o->gc != GC_RUNNING)
        return order_bad(o, c, "the GC does not run");
    if (order_user(o, c) < 0)
        return o->fault->code;
    return gc_event(o, c, state);
}

int order_gc_active(struct order *o, struct cursor *c)
{
    if (!order_in_first(o))
        return gc_running(o, c, GC_RUNNING);
    if (o->gc != GC_UNDETERMINED)
        return order_bad(o, c, "is not the first word of the GC in the first generation");
    return gc_event(o, c, GC_RUNNING);
}

int order_gc_begin(struct order *o, struct cursor *c)
{
    bool first = o->gc == GC_UNDETERMINED;
    uint32_t stack = 0;
    int r;

    if (!first) {
        if (c->args[0] != o->gc_seq + 1)
            return 0;
        if (o->gc == GC_RUNNING)
            return order_bad(o, c, "the GC runs already");
        if (order_user(o, c) < 0)
            return o->fault->code;
    }
    r = order_stack(o, c, c->args[1], &stack);
    if (r < 0)
        return r;
    gc_event(o, c, GC_RUNNING);
    o->next[-1].stack = stack;
    return 1;
}

int order_gc_end(struct order *o, struct cursor *c)
{
    return gc_running(o, c, GC_NOT_RUNNING);
}

int order_sweep_begin(struct order *o, struct cursor *c)
{
    int r = order_has_proc(o, c);
    uint32_t stack = 0;

    if (r == 0)
        r = begin_range(o, c, &c->thread->p->ranges, GOTRACE_EV_GC_SWEEP_BEGIN, 0);
    if (r == 0)
        r = order_stack(o, c, c->args[0], &stack);
    if (r < 0)
        return r;
    order_emit(o, c, c->type)->stack = stack;
    return 1;
}

int order_sweep_active(struct order *o, struct cursor *c)
{
    struct proc *p = resources_proc(&o->res, c->args[0]);
    int r;

    if (!p)
        return order_bad(o, c, "proc %" PRIu64 " does not exist", c->args[0]);
    r = active_range(o, c, &p->ranges, GOTRACE_EV_GC_SWEEP_BEGIN);
    if (r < 0)
        return r;
    order_emit(o, c, c->type)->args[0] = c->args[0];
    return 1;
}

int order_sweep_end(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    uint64_t string = 0;
    int r = order_has_proc(o, c);

    if (r == 0)
        r = end_range(o, c, &c->thread->p->ranges, GOTRACE_EV_GC_SWEEP_BEGIN, &string);
    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->args[0] = c->args[0];
    e->args[1] = c->args[1];
    return 1;
}

/* The ranges of a goroutine, which are allocated if necessary. */
static int ranges_of(struct order *o, const struct cursor *c, struct goroutine *g,
                     struct ranges **ret)
{
    struct goroutine_more *more;
    int r;

    if (!g)
        return order_bad(o, c, "the goroutine does not exist");
    r = resources_more(&o->res, g, &more);
    if (r < 0)
        return order_no_memory(o, c, r);
    *ret = &more->ranges;
    return 0;
}

static int begin_on_goroutine(struct order *o, struct cursor *c, uint64_t string)
{
    struct ranges *ranges = NULL;
    int r = order_user(o, c);

    if (r == 0)
        r = ranges_of(o, c, resources_current(&o->res, c->thread), &ranges);
    if (r == 0)
        r = begin_range(o, c, ranges, c->type, string);
    return r;
}

static int end_on_goroutine(struct order *o, struct cursor *c, uint8_t type, uint64_t *ret_string)
{
    struct goroutine_more *more;
    struct goroutine *g;
    int r = order_user(o, c);

    if (r < 0)
        return r;
    g = resources_current(&o->res, c->thread);
    if (!g)
        return order_bad(o, c, "goroutine %" PRId64 " does not exist", c->thread->g);
    more = resources_has_more(&o->res, g);
    return end_range(o, c, more ? &more->ranges : NULL, type, ret_string);
}

int order_assist_begin(struct order *o, struct cursor *c)
{
    uint32_t stack = 0;
    int r = begin_on_goroutine(o, c, 0);

    if (r == 0)
        r = order_stack(o, c, c->args[0], &stack);
    if (r < 0)
        return r;
    order_emit(o, c, c->type)->stack = stack;
    return 1;
}

/* Of any goroutine, running or not. */
int order_assist_active(struct order *o, struct cursor *c)
{
    struct ranges *ranges = NULL;
    int r = ranges_of(o, c, resources_goroutine(&o->res, (int64_t)c->args[0]), &ranges);

    if (r == 0)
        r = active_range(o, c, ranges, GOTRACE_EV_GC_MARK_ASSIST_BEGIN);
    if (r < 0)
        return r;
    order_emit(o, c, c->type)->args[0] = c->args[0];
    return 1;
}

int order_assist_end(struct order *o, struct cursor *c)
{
    uint64_t string = 0;
    int r = end_on_goroutine(o, c, GOTRACE_EV_GC_MARK_ASSIST_BEGIN, &string);

    if (r < 0)
        return r;
    order_emit(o, c, c->type);
    return 1;
}

int order_stw_begin(struct order *o, struct cursor *c)
{
    struct gotrace_event *e;
    uint32_t string = 0, stack = 0;
    int r = begin_on_goroutine(o, c, c->args[0]);

    if (r == 0)
        r = order_string(o, c, c->args[0], &string);
    if (r == 0)
        r = order_stack(o, c, c->args[1], &stack);
    if (r < 0)
        return r;
    e = order_emit(o, c, c->type);
    e->string = string;
    e->stack = stack;
    return 1;
}

/* Its reason is that of its begin. No stop of the world extends into the next generation. */
int order_stw_end(struct order *o, struct cursor *c)
{
    uint64_t id = 0;
    uint32_t string;
    int r = end_on_goroutine(o, c, GOTRACE_EV_STW_BEGIN, &id);

    if (r < 0)
        return r;
    string = strings_handle(&o->gen->strings, id);
    order_emit(o, c, c->type)->string = string == IDMAP_NONE ? 0 : string;
    return 1;
}
