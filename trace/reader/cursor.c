/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/cursor.h"

#include <errno.h>
#include <string.h>

_Static_assert(INPUT_PADDING >= 1 + 5 * 10 + VARINT_PADDING, "an event may be read in one go");

void cursor_init(struct cursor *c, const struct generation *gen, uint32_t thread)
{
    memset(c, 0, sizeof(*c));
    c->m = gen->threads[thread].id;
    c->next_batch = gen->threads[thread].first;
}

uint64_t cursor_offset(const struct cursor *c, const struct generation *gen)
{
    const struct batch_ref *b = &gen->batches[c->batch];

    return b->offset + (uint64_t)(c->at - b->data);
}

int cursor_bad(const struct cursor *c, const struct generation *gen)
{
    const char *text = specs[c->type].numbers > 0 ? "an event that does not end within its batch"
                                                  : "an event that is none of a thread's";

    gen->fault->thread = c->m;
    return fault_set(gen->fault, -EBADMSG, cursor_offset(c, gen), "%s: type %u", text, c->type);
}

/* Moves to the next batch at the end of this one; no batch is empty. */
bool cursor_enter(struct cursor *c, const struct generation *gen)
{
    if (c->p == c->end) {
        const struct batch_ref *b;

        if (c->end) {
            b = &gen->batches[c->batch];
            input_leave(gen->in, b->data, b->end);
        }
        if (c->next_batch == IDMAP_NONE)
            return false;
        c->batch = c->next_batch;
        b = &gen->batches[c->batch];
        c->next_batch = b->next;
        c->p = b->data;
        c->end = b->end;
        c->time = 0;
    }
    if (c->time == 0)
        c->time = generation_time(gen, gen->batches[c->batch].time);
    return true;
}
