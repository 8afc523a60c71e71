/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The way of one capture from due to published: wait for a turn, reserve room in the spool, stream
 * the trace, find out whose it is, publish. The only place that knows both captures and the spool.
 * It reports each end once: meters, the target's state, the log.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/disk.h"
#include "daemon/capture/target.h"
#include "daemon/outcome/meters.h"
#include "lib/net/http.h"
#include "lib/spool/spool.h"

struct pipeline;

/* How a capture ended, one way or another. Everything is borrowed during the call. */
struct pipeline_end {
    struct target *target; /* may be gone afterwards */
    struct lane *lane;     /* of it */
    enum reason reason;
    const char *name; /* as in the order */
    enum outcome outcome;
    const char *text;      /* for people; "" when there is nothing to say */
    const char *key;       /* NULL: nothing was kept */
    usec start;            /* real time of the request; 0: none was sent */
    usec due, sent, ended; /* boot time; due and sent 0: not known, not sent */
    usec window;           /* of the request */
    uint64_t bytes;        /* of the trace that was kept */
};

typedef void (*pipeline_ended_fn)(void *userdata, const struct pipeline_end *end);

/* What somebody wants. Zero is a scheduled capture as the job says. */
struct pipeline_order {
    enum reason reason;
    const char
        *name;   /* what the record calls the reason, such as "alert:HighLatency"; copied. NULL:
                         the reason's own word */
    usec window; /* of the trace; 0: the job's */
    usec due;    /* boot time at which it was due; 0: now */
    pipeline_ended_fn fn; /* told the end of this capture; or NULL */
    void *userdata;
};

struct pipeline_wish; /* an order's fn that has not been called yet */

/* Everything is borrowed. `once`: a failed target is not tried again. 0 or -ENOMEM. */
int pipeline_new(sd_event *event, struct http *http, struct disk *disk, struct spool *spool,
                 struct meters *meters, bool once, pipeline_ended_fn fn, void *userdata,
                 struct pipeline **ret);

/* Nothing may be in flight. */
void pipeline_free(struct pipeline *p);

/* How many captures may be in flight at once; the others wait in the order in which they came. */
void pipeline_set_concurrency(struct pipeline *p, unsigned max);

/*
 * Captures what the lane is for, now or as soon as it is its turn, and when no other lane of its
 * target is under way. One at a time. What was asked for joins a
 * capture that waits for its turn. With one in flight a scheduled capture is skipped and counted,
 * and anything else follows it, at most one however often it is asked for; a signal does not follow
 * a signalled one. fn is called later, never from here, for what has joined, too; not for what was
 * skipped. *ret (may be NULL) is valid until then, NULL when fn will not be called. 0, -ENOMEM
 * (logged), -ESHUTDOWN after pipeline_drain.
 */
int pipeline_capture(struct pipeline *p, struct lane *l, const struct pipeline_order *order,
                     struct pipeline_wish **ret);

/* For how much longer than it will be anyway the target would be traced for an order of `window`
 * (0: the job's): all of it, or less where it joins another. */
usec pipeline_adds(const struct lane *l, usec window);

/* fn will not be called; the capture goes on. NULL is fine. */
void pipeline_forget(struct pipeline_wish *w);

/* Of a lane that is being captured or waits for its turn; texts are borrowed for the moment. */
struct pipeline_flight {
    const char *state;  /* "waiting", "capturing", … */
    const char *reason; /* as the record will call it */
    usec start;         /* real time; 0: not yet */
    usec window;
    uint64_t bytes; /* that came so far */
};

/* False: there is none. */
bool pipeline_flight(const struct lane *l, struct pipeline_flight *ret);

/* How many captures are past waiting for their turn, and how many wait for it. */
unsigned pipeline_in_flight(const struct pipeline *p);
unsigned pipeline_waiting(const struct pipeline *p);

/* How many captures in a row the disk failed. */
unsigned pipeline_storage_failures(const struct pipeline *p);

/* Ends what waits for its turn; what is in flight goes on to its end. */
void pipeline_drain(struct pipeline *p);

/* Ends the transfers, too: what is whole of them is published. */
void pipeline_cut(struct pipeline *p);

/* Nothing waits and nothing is in flight. */
bool pipeline_idle(const struct pipeline *p);
