/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Takes each capture from due to published: wait for a turn, reserve room in the spool, stream the
 * trace, find its process, publish. The only place that knows both captures and the spool. It
 * reports each end once: to the meters, the target's state and the log.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/disk.h"
#include "daemon/capture/incident_tag.h"
#include "daemon/capture/judgement.h"
#include "daemon/capture/target.h"
#include "daemon/outcome/meters.h"
#include "lib/net/http.h"
#include "lib/spool/spool.h"

struct pipeline;

/* What came of the CPU samples that an order wants in a trace. */
enum pipeline_sampled {
    PIPELINE_SAMPLED,       /* a CPU profile ran beside the trace */
    PIPELINE_UNSAMPLED,     /* none did */
    PIPELINE_SAMPLED_MAYBE, /* it was asked for, and not refused; but it did not come */
};

/* The CPU profile beside a trace. Texts are borrowed from the trace's capture job. */
struct pipeline_samples {
    enum pipeline_sampled sampled;
    enum outcome outcome; /* of the profile */
    const char *text;     /* for people; "" if there is nothing to say */
    const char *key;      /* of the profile; NULL: it was not kept */
};

/* Why there is no profile: "in_use: HTTP status 500 …"; "" if there is one. */
#define PIPELINE_WHY_SIZE (CAPTURE_TEXT_MAX + 32)
const char *pipeline_why_unsampled(const struct pipeline_samples *s,
                                   char out[static PIPELINE_WHY_SIZE]);

/* How a capture ended. Everything is borrowed during the call. */
struct pipeline_end {
    struct target *target; /* may be gone afterwards */
    struct lane *lane;     /* of the target */
    enum reason reason;
    const char *name; /* as in the order */
    enum outcome outcome;
    const char *text;      /* for people; "" if there is nothing to say */
    const char *hint;      /* as in struct capture_result */
    const char *key;       /* NULL: nothing was kept */
    usec start;            /* real time of the request; 0: none was sent */
    usec due, sent, ended; /* boot time; due and sent 0: not known, not sent */
    usec window;           /* of the request */
    uint64_t bytes;        /* of the trace that was kept */
    bool incident;         /* it belonged to one, which knows what to do about a failure */
    const struct pipeline_samples *samples; /* NULL: none were wanted, or it was not sent */
};

typedef void (*pipeline_ended_fn)(void *userdata, const struct pipeline_end *end);

/* An order for a capture. A zeroed one is for a scheduled capture with the job's window. */
struct pipeline_order {
    enum reason reason;
    const char *name; /* the reason in the record: "alert:A"; copied. NULL: reason_name() */
    usec window;      /* of the trace; 0: the job's */
    usec due;         /* boot time at which it was due; 0: now */
    bool samples;     /* of a trace: with CPU samples, by a CPU profile beside it */
    struct incident_tag *incident; /* the incident that it belongs to; NULL: none */
    pipeline_ended_fn fn;          /* called when this capture has ended; or NULL */
    void *userdata;
};

/* What a snapshot is charged for, in capture time. */
#define PIPELINE_SNAPSHOT_COST (100 * USEC_PER_MSEC)

struct pipeline_waiter; /* an order's fn that has not been called yet */

/* Everything is borrowed. `once`: messages do not promise another try. 0 or a negative errno. */
int pipeline_new(sd_event *event, struct http *http, struct disk *disk, struct spool *spool,
                 struct meters *meters, bool once, pipeline_ended_fn fn, void *userdata,
                 struct pipeline **ret);

/* Nothing may be in flight. */
void pipeline_free(struct pipeline *p);

/* Sets how many captures may be in flight at once; the others wait for a turn (turns.h). */
void pipeline_set_concurrency(struct pipeline *p, unsigned max);

/*
 * Captures the lane's artifact as soon as the lane has its turn and no other lane of its target is
 * under way. A lane has at most one capture at a time. If it has one already: a scheduled order is
 * skipped, and counted so unless the target waits because it fails; so is a signal's order if that
 * capture is a signal's, too. Any other order joins a capture that still waits; behind one that is
 * in flight, one more capture follows, for all orders that came meanwhile. order->fn is called
 * later, never from here, also for an order that joined, but not for one that was skipped. *ret
 * (ret may be NULL) is valid until then, and NULL if fn will not be called. 0, -ENOMEM (logged), or
 * -ESHUTDOWN after pipeline_drain.
 */
int pipeline_capture(struct pipeline *p, struct lane *l, const struct pipeline_order *order,
                     struct pipeline_waiter **ret);

/* How much capture time an order with this window (0: the job's) would add: all of the window, or
 * less if it joins a capture that will be made anyway. A snapshot counts as a tenth of a second. */
usec pipeline_adds(const struct lane *l, usec window);

/* What an order with `samples` would add to that, for the CPU profile beside the trace. */
usec pipeline_adds_samples(const struct lane *l, usec window);

/* The order's fn will not be called; the capture goes on. NULL is fine. */
void pipeline_forget(struct pipeline_waiter *w);

/* The progress of a lane's capture, also while it waits. Texts are valid until the next
 * call of the pipeline. */
struct pipeline_capture_job {
    const char *state;  /* "waiting", "capturing", … */
    const char *reason; /* as in the record */
    usec start;         /* real time; 0: not yet */
    usec window;
    uint64_t bytes; /* received so far */
};

/* False: the lane has no capture. */
bool pipeline_capture_job(const struct lane *l, struct pipeline_capture_job *ret);

/* How many captures are under way, and how many wait for their turn. */
unsigned pipeline_in_flight(const struct pipeline *p);
unsigned pipeline_waiting(const struct pipeline *p);

/* How many captures in a row failed because of the disk. */
unsigned pipeline_storage_failures(const struct pipeline *p);

/* Cancels captures that wait for their turn and refuses new orders; those in flight go on to their
 * end. */
void pipeline_drain(struct pipeline *p);

/* Like pipeline_drain, and ends the transfers: what is whole of them is published. */
void pipeline_cut(struct pipeline *p);

/* No capture waits or is in flight. */
bool pipeline_idle(const struct pipeline *p);
