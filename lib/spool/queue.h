/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which traces of pending/ are on offer for their upload. One whose upload failed rests for a
 * while, or until it is offered again on request. The uploader is called when there may be
 * something to take. The index is the queue; there is no other list. `at` is an item's place in the
 * index.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/items.h"

/* There may be something to take. Called on the event loop, never from inside another call. */
typedef void (*queue_fn)(void *userdata);

/* The record of a trace is complete. */
typedef void (*queue_final_fn)(void *userdata, const char *key);

struct queue {
    const struct core *core;
    struct items *items;
    queue_fn fn;
    void *userdata;
    queue_final_fn final; /* or NULL */
    void *final_userdata;
    sd_event_source *wake;  /* fires once to call fn */
    sd_event_source *retry; /* timer for `next` */
    /* Boot time at which the next item that was put off is offered; USEC_NEVER: nothing is put
     * off. */
    usec next;
    usec quiet; /* boot time before which failures are not logged again */
};

/* 0 or a negative errno; call queue_stop in either case. */
int queue_start(struct queue *q, const struct core *core, struct items *items);
void queue_stop(struct queue *q);
void queue_set_fn(struct queue *q, queue_fn fn, void *userdata);
/* As spool_set_final_fn of spool.h. */
void queue_set_final_fn(struct queue *q, queue_final_fn fn, void *userdata);

/*
 * Takes over a trace that was just published and was busy until now. It is not on offer for the
 * time `hold`, while it waits for its record to be amended; 0: it does not wait. This is the only
 * way into the queue for a publication, so the hold function (spool_set_hold_fn) has always been
 * asked before anybody can take the trace.
 */
void queue_join(struct queue *q, size_t at, usec hold);

/* The item, of either directory, stops waiting for its record, which was amended or will not be. */
void queue_release(struct queue *q, size_t at);

/* Finds the newest item that may be taken. False: there is none. */
bool queue_newest(struct queue *q, size_t *ret);

/* For an idle item of pending/. queue_now: it may be taken now, and fn will be called; queue_later:
 * not before `wait` is over; queue_never: not before one of the queue_offer calls. */
void queue_now(struct queue *q, size_t at);
void queue_later(struct queue *q, size_t at, usec wait);
void queue_never(struct queue *q, size_t at);

/* Lets an item that could not be opened or archived rest for a while. True if the caller should log
 * that: only once for many items that fail at the same time. */
bool queue_rest(struct queue *q, size_t at);

/* As spool_offer_again, spool_offer_put_off, spool_offer_key, spool_next_offer and
 * spool_pending_since of spool.h. */
void queue_offer_again(struct queue *q);
void queue_offer_put_off(struct queue *q);
void queue_offer_key(struct queue *q, const char *key);
usec queue_next_offer(struct queue *q);
bool queue_holds_since(const struct queue *q, usec time);
