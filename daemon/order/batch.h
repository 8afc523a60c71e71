/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Orders for several targets that are given at the same time for the same cause; each target at
 * most once. The batch counts which orders were taken and which refused, and for a caller that
 * waits it counts the results.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/capture/targets.h"
#include "daemon/order/desk.h"

/* The i-th order that was taken has ended; `left` is up to date. When `left` is 0 the function may
 * call batch_done. */
typedef void (*batch_ended_fn)(void *userdata, size_t i, const struct pipeline_end *end);

struct batch_slot;

/* Callers may read the fields, but only the batch changes them, except `artifact`. */
struct batch {
    struct desk *desk;
    struct targets *targets;
    const struct artifact *artifact; /* what to capture; NULL: each target's primary artifact */
    batch_ended_fn fn;
    void *userdata;
    bool *seen; /* by the target's place: true if it was ordered */
    struct batch_slot *slots;
    size_t max;
    size_t taken, limited, placeless;
    const char *placeless_job; /* the job of a placeless order, borrowed; NULL: there is none */
    usec retry_after; /* the shortest wait of the limited orders; USEC_NEVER: there are none */
    bool stopping, no_memory;
    size_t left;      /* orders that were taken and have not ended yet; 0 without `fn` */
    size_t published; /* orders that ended with a trace that was kept */
};

/*
 * At most `max` orders can be taken. Desk and targets are borrowed; the targets must not change
 * while orders are added. `fn` NULL: nobody waits for the ends. 0; or -ENOMEM, and then batch_done
 * is not needed.
 */
int batch_init(struct batch *b, struct desk *desk, struct targets *targets, size_t max,
               batch_ended_fn fn, void *userdata);

/* Frees the batch. Captures that were taken go on; `fn` is not called any more. */
void batch_done(struct batch *b);

/* Notes that the target at this place is captured without the batch. */
void batch_claim(struct batch *b, size_t target);

/* Orders a capture of the target at this place. `fn` and `userdata` of the order are ignored. */
struct desk_reply batch_order(struct batch *b, size_t target, const struct pipeline_order *order);
