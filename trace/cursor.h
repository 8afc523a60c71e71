/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One thread's events of a generation, one after the other, not yet put in order with others. */

#include <stdint.h>

#include "trace/generation.h"
#include "trace/specs.h"

struct thread;

struct cursor {
    /* the event that is to be ordered next */
    int64_t time;
    uint64_t args[SPECS_MAX_ARGS];
    uint8_t type;

    const uint8_t *p; /* behind it */
    const uint8_t *end;
    const uint8_t *at; /* its beginning */
    int64_t m;
    struct thread *thread; /* once one of its events was tried */
    uint32_t batch;        /* in generation.batches */
    uint32_t next_batch;
};

/* At the thread's beginning: cursor_next reads the first event. */
void cursor_init(struct cursor *c, const struct generation *gen, uint32_t thread);

/* Reads the next event. 1, 0 if there is none, or an error as gotrace_next. */
int cursor_next(struct cursor *c, const struct generation *gen);

/* Where the event begins in the trace. */
uint64_t cursor_offset(const struct cursor *c, const struct generation *gen);
