/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All that is ordered at the same time for the same cause, of several targets: each target once. It
 * counts what was taken and what was refused, and, for whoever waits, what came of it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/capture/targets.h"
#include "daemon/order/desk.h"

/* The i-th that was taken has ended; `left` is up to date. May end the batch when that is 0. */
typedef void (*batch_ended_fn)(void *userdata, size_t i, const struct pipeline_end *end);

struct batch_slot;

/* To be read by others; changed by the batch alone. */
struct batch {
    struct desk *desk;
    struct targets *targets;
    const struct artifact *artifact; /* what is captured; NULL: what each target's job has first */
    batch_ended_fn fn;
    void *userdata;
    bool *seen; /* by the target's place: it was ordered */
    struct batch_slot *slots;
    size_t max;
    size_t taken, limited, placeless;
    usec retry_after; /* the shortest wait of what was limited; USEC_NEVER: nothing was */
    bool stopping, no_memory;
    size_t left;      /* taken, and not ended yet; 0 without `fn` */
    size_t published; /* ended with a trace that was kept */
};

/*
 * At most `max` can be taken. Desk and targets are borrowed; the targets must not change while
 * orders are added. `fn` NULL: nobody waits for the ends. 0, or -ENOMEM and there is nothing to be
 * done with.
 */
int batch_init(struct batch *b, struct desk *desk, struct targets *targets, size_t max,
               batch_ended_fn fn, void *userdata);

/* What was taken goes on; nobody is told of its end any more. */
void batch_done(struct batch *b);

/* Orders the target at this place; without `fn` and `userdata` in the order. */
struct desk_reply batch_order(struct batch *b, size_t target, const struct pipeline_order *order);
