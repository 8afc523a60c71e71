/* SPDX-License-Identifier: Apache-2.0 */

/* Tables for summary_turn.c: what is known of a stack or string, by its id in the trace. */

#include <string.h>

#include "trace/reader/reader.h"
#include "trace/summary/accumulator.h"

/* Makes room for n ids, all unknown. Returns n, or 0 if memory does not suffice. */
static size_t forget_ids(struct accumulator *s, void *pp, size_t *cap, size_t n, size_t size)
{
    void *p;

    if (n == 0 || memory_grow(&s->mem, pp, cap, n, size) < 0)
        return 0;
    memcpy(&p, pp, sizeof(p));
    memset(p, 0, n * size);
    return n;
}

void accumulator_turns_generation(struct accumulator *s)
{
    const struct generation *gen = &s->trace->gen;
    size_t n_strings = gen->strings.ids.n_dense;

    s->n_stack_ids = forget_ids(s, &s->stack_of_id, &s->stack_of_id_cap, gen->stacks.ids.n_dense,
                                sizeof(*s->stack_of_id));
    s->n_reason_ids =
        forget_ids(s, &s->reason_of_id, &s->reason_of_id_cap,
                   n_strings < HANDLES_MAX ? n_strings : HANDLES_MAX, sizeof(*s->reason_of_id));
}

void accumulator_turns_done(struct accumulator *s)
{
    memory_free(&s->mem, s->stack_of_id, s->stack_of_id_cap * sizeof(*s->stack_of_id));
    memory_free(&s->mem, s->reason_of_id, s->reason_of_id_cap * sizeof(*s->reason_of_id));
    if (s->trace)
        resources_leave_users(&s->trace->order.res);
}
