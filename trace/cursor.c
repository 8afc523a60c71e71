/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/cursor.h"

#include <errno.h>
#include <string.h>

#include "trace/varint.h"

_Static_assert(INPUT_PADDING >= 1 + 5 * 10 + VARINT_PADDING, "an event may be read in one go");

void cursor_init(struct cursor *c, const struct generation *gen, uint32_t thread) {
    memset(c, 0, sizeof(*c));
    c->m = gen->threads[thread].id;
    c->next_batch = gen->threads[thread].first;
}

uint64_t cursor_offset(const struct cursor *c, const struct generation *gen) {
    const struct batch_ref *b = &gen->batches[c->batch];

    return b->offset + (uint64_t) (c->at - b->data);
}

static int bad(const struct cursor *c, const struct generation *gen, const char *text) {
    gen->fault->thread = c->m;
    return fault_set(gen->fault, -EBADMSG, cursor_offset(c, gen), "%s %u", text, *c->at);
}

/* Enters the next batch; none of them is empty. */
static int enter_batch(struct cursor *c, const struct generation *gen) {
    const struct batch_ref *b;

    if (c->next_batch == IDMAP_NONE)
        return 0;
    c->batch = c->next_batch;
    b = &gen->batches[c->batch];
    c->next_batch = b->next;
    c->p = b->data;
    c->end = b->end;
    c->time = 0;
    return 1;
}

/*
 * Numbers are read on beyond the batch's end, into other bytes of the same block or its padding,
 * and looked at afterwards. A time of 0 stands for "none yet" also amid a batch, as in Go's reader.
 */
int cursor_next(struct cursor *c, const struct generation *gen) {
    const struct spec *spec;
    const uint8_t *p;
    uint64_t diff;

    if (__builtin_expect(c->p == c->end, 0) && !enter_batch(c, gen))
        return 0;
    if (__builtin_expect(c->time == 0, 0))
        c->time = generation_time(gen->freq, gen->batches[c->batch].time);
    c->at = c->p;
    c->type = *c->p;
    spec = &specs[c->type];
    if (__builtin_expect(!spec->timed, 0))
        return bad(c, gen, "an event that has no time among a thread's events: type");
    p = varint_padded(c->p + 1, &diff);
    for (unsigned i = 0; p && i < spec->n_args; i++)
        p = varint_padded(p, &c->args[i]);
    if (__builtin_expect(!p || p > c->end, 0))
        return bad(c, gen, "an event that does not end within its batch: type");
    c->p = p;
    c->time = (int64_t) ((uint64_t) c->time + (uint64_t) generation_time(gen->freq, diff));
    return 1;
}
