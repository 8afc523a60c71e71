/* SPDX-License-Identifier: Apache-2.0 */

/* The results about goroutines, computed at the trace's end. */

#include "trace/summary/accumulator.h"

/* Computes sums that are needed only at the end from the sums by stack and by proc. */
static void derive(struct accumulator *s)
{
    struct summary_classes *classes = &s->out->classes;
    struct summary_class *const of[] = {
        [SUMMARY_SYNC] = classes->sync,       [SUMMARY_NET] = classes->network,
        [SUMMARY_SYSCALL] = classes->syscall, [SITES_UNKNOWN] = classes->unknown,
        [SITES_SLEEP] = classes->sleep,
    };
    uint64_t unplaced = sites_tally(&s->sites.stacks[SITES_NO_STACK], SUMMARY_SCHED)->count;
    uint64_t switches = s->out->events.by_type[GOTRACE_EV_GO_SWITCH] +
                        s->out->events.by_type[GOTRACE_EV_GO_SWITCH_DESTROY];

    /* Who is made runnable by no goroutine has no stack; nor has one that a switch hands over to,
     * which may be one that is not followed. */
    if (unplaced > switches)
        s->out->scheduler.by_runtime = unplaced - switches;
    for (uint32_t i = 0; i < s->n_ps; i++)
        s->out->goroutines.running += s->ps[i].sums.executing;
    for (uint32_t i = 0; i < s->sites.n_stacks; i++) {
        const struct sites_stack *stack = &s->sites.stacks[i];

        s->out->goroutines.runnable += sites_tally(stack, SUMMARY_SCHED)->total;
        if (stack->class != STACK_RUNTIME && !(stack->traits & STACK_COLLECTS))
            s->out->scheduler.yields += stack->yields;
        for (unsigned j = 0; j < sizeof(of) / sizeof(of[0]); j++)
            if (of[j])
                accumulator_add_tally(&of[j][stack->class], sites_tally(stack, j), true);
    }
}

static int list_waits(struct accumulator *s)
{
    struct summary_goroutines *out = &s->out->goroutines;
    int r = arena_new(&s->texts.arena, s->n_reasons * sizeof(*out->waits), &out->waits);

    for (uint32_t i = 0; r == 0 && i < s->n_reasons; i++) {
        const struct accumulator_reason *reason = &s->reasons[i];

        if (reason->count == 0 && reason->total == 0)
            continue;
        out->waiting += reason->total;
        out->waits[out->n_waits++] = (struct summary_wait){
            texts_get(&s->texts, reason->text), reason->count, reason->total, reason->max};
    }
    accumulator_sort_waits(out->waits, out->n_waits);
    return r;
}

static void locate(const struct accumulator *s, uint32_t stack, enum summary_profile profile,
                   struct summary_longest *ret)
{
    ret->at = sites_frame(&s->sites, stack, profile);
    ret->own = sites_own(&s->sites, stack, profile);
}

static void locate_longest(struct accumulator *s)
{
    struct summary *out = s->out;

    locate(s, s->longest_active_stack, SUMMARY_SYSCALL, &out->syscalls.longest_active);
    locate(s, s->longest_syscall_stack, SUMMARY_SYSCALL, &out->syscalls.longest);
    locate(s, s->longest_hold_stack, SUMMARY_SCHED, &out->longest_hold);
    locate(s, s->longest_run_stack, SUMMARY_SCHED, &out->longest_run);
}

static double share_above(const struct histogram *h, int64_t limit)
{
    return h->count > 0 ? (double)histogram_above(h, limit) / (double)h->count : 0;
}

int accumulator_go_finish(struct accumulator *s)
{
    struct summary_goroutines *out = &s->out->goroutines;
    int64_t window = s->last - s->first;
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->go_ids.n_slots; i++) {
        const struct idmap_slot *slot = &s->go_ids.slots[i];
        struct accumulator_go *g;

        if (slot->value == 0)
            continue;
        g = accumulator_place(s, slot->value - 1);
        for (uint32_t n = g->regions; r == 0 && n != 0; n = s->regions.list[n - 1].next)
            r = accumulator_slow_region_of(s, g, &s->regions.list[n - 1], s->last, true);
        if (r == 0)
            r = accumulator_go_leave(s, g, NULL);
        if (r == 0 && (g->flags & ACCUMULATOR_ASSIST))
            accumulator_gc_end_assist(s, g, s->last);
    }
    derive(s);
    out->max_alive = out->at_start + (uint64_t)s->alive_max;
    out->at_end = out->at_start + out->created - out->ended;
    s->out->scheduler.over_1ms = share_above(&s->latency, 1000000);
    s->out->scheduler.over_10ms = share_above(&s->latency, 10000000);
    s->out->scheduler.over_100ms = share_above(&s->latency, 100000000);
    s->out->scheduler.latency = histogram_times(&s->latency);
    s->out->syscalls.times = histogram_times(&s->syscalls);
    s->out->scheduler.runnable_mean = window > 0 ? (double)out->runnable / (double)window : 0;
    if (r == 0)
        r = accumulator_still_finish(s);
    if (r == 0)
        r = accumulator_waits_finish(s);
    locate_longest(s);
    if (r == 0)
        r = list_waits(s);
    if (r == 0)
        r = accumulator_growth_finish(s);
    if (r == 0)
        r = sites_close(&s->sites);
    if (r == 0)
        r = accumulator_again_finish(s);
    return r < 0 ? r : accumulator_named_finish(s);
}

void accumulator_go_done(struct accumulator *s)
{
    for (uint32_t i = 0; i < s->n_places; i += ACCUMULATOR_CHUNK)
        memory_free(&s->mem, s->chunks[i / ACCUMULATOR_CHUNK],
                    ACCUMULATOR_CHUNK * sizeof(**s->chunks));
    memory_free(&s->mem, s->chunks, s->chunks_cap * sizeof(*s->chunks));
    memory_free(&s->mem, s->free, s->free_cap * sizeof(*s->free));
    memory_free(&s->mem, s->reasons, s->reasons_cap * sizeof(*s->reasons));
    handles_done(&s->reason_of);
    idmap_done(&s->go_ids);
}
