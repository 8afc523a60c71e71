/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A cursor over one thread's events of a generation, before they are merged with other threads'. */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/varint.h"
#include "trace/reader/generation.h"
#include "trace/reader/specs.h"

struct thread;

struct cursor {
    /* the next event to order */
    int64_t time;
    uint64_t args[SPECS_MAX_ARGS];
    uint8_t type;

    const uint8_t *p; /* behind it */
    const uint8_t *end;
    const uint8_t *at; /* its beginning */
    int64_t m;
    struct thread *thread; /* set when one of its events was first tried */
    uint32_t batch;        /* in generation.batches */
    uint32_t next_batch;
};

/* Sets it to the thread's start: cursor_next reads the first event. */
void cursor_init(struct cursor *c, const struct generation *gen, uint32_t thread);

/* The event's offset in the trace. */
uint64_t cursor_offset(const struct cursor *c, const struct generation *gen);

/* The slow path of cursor_next. */
bool cursor_enter(struct cursor *c, const struct generation *gen);
int cursor_bad(const struct cursor *c, const struct generation *gen) __attribute__((cold));

/*
 * Reads the next event. 1, 0 if there is none, or an error as gotrace_next. Numbers are read on
 * beyond the batch's end, into other bytes of the same block or its padding, and looked at
 * afterwards. A time of 0 stands for "none yet" also amid a batch, as in Go's reader.
 */
static inline __attribute__((always_inline)) int cursor_next(struct cursor *c,
                                                             const struct generation *gen)
{
    uint64_t diff;
    const uint8_t *p;
    unsigned numbers;

    if (__builtin_expect(c->p == c->end || c->time == 0, 0) && !cursor_enter(c, gen))
        return 0;
    p = c->at = c->p;
    c->type = *p;
    numbers = specs[c->type].numbers;
    p = varint_small(p + 1, &diff, &c->end);
    if (numbers > 1) {
        p = varint_padded(p, &c->args[0], &c->end);
        if (numbers > 2) {
            p = varint_padded(p, &c->args[1], &c->end);
            if (numbers > 3) {
                p = varint_padded(p, &c->args[2], &c->end);
                if (numbers > 4)
                    p = varint_padded(p, &c->args[3], &c->end);
            }
        }
    }
    if (__builtin_expect(numbers == 0 || p > c->end, 0))
        return cursor_bad(c, gen);
    c->p = p;
    c->time = (int64_t)((uint64_t)c->time + (uint64_t)generation_time(gen, diff));
    return 1;
}
