/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What of pending/ is on offer for its upload, and since when: what failed rests for a while or
 * until it is asked for again, and whoever uploads is told when there is something to take. The
 * index is the queue; there is no other list. `at` is an item's place in the index.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/items.h"

/* Something may be there to take: called on the event loop, never from inside another call. */
typedef void (*queue_fn)(void *userdata);

struct queue {
    const struct core *core;
    struct items *items;
    queue_fn fn;
    void *userdata;
    sd_event_source *wake;  /* once, when fn is to be called */
    sd_event_source *retry; /* when what was put off is offered again */
    usec next;              /* boot time of that; USEC_NEVER: nothing is put off */
    usec quiet;             /* boot time before which failures are not said again */
};

/* 0 or a negative errno; queue_stop in any case. */
int queue_start(struct queue *q, const struct core *core, struct items *items);
void queue_stop(struct queue *q);
void queue_set_fn(struct queue *q, queue_fn fn, void *userdata);

/*
 * Takes over a trace that was just published, and was busy until now. For so long it is not on
 * offer, because it waits for its record; 0: it does not wait. A publication has no other way into
 * the queue, so whoever amends records has always been asked before anybody can take the trace.
 */
void queue_join(struct queue *q, size_t at, usec hold);

/* Its record has been amended, or will not be: of either directory. */
void queue_release(struct queue *q, size_t at);

/* The newest that may be taken. */
bool queue_newest(struct queue *q, size_t *ret);

/* One of pending/ that is in nobody's hands: it may be taken, as somebody is told; not before
 * `wait` is over; not before it is asked for. */
void queue_now(struct queue *q, size_t at);
void queue_later(struct queue *q, size_t at, usec wait);
void queue_never(struct queue *q, size_t at);

/* What cannot be opened or archived now rests for a while. True when a person must be told: once,
 * however many there are. */
bool queue_rest(struct queue *q, size_t at);

/* As spool.h tells of spool_offer_again, spool_offer_put_off, spool_offer_key, spool_next_offer and
 * spool_pending_since. */
void queue_offer_again(struct queue *q);
void queue_offer_put_off(struct queue *q);
void queue_offer_key(struct queue *q, const char *key);
usec queue_next_offer(struct queue *q);
bool queue_holds_since(const struct queue *q, usec time);
