/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Incidents: several artifacts of one target, ordered together, under one id. They are taken in
 * sequence: the flight recording first, as it shows the past; then what shows the present; then
 * snapshots and sums; last what disturbs the service. Never two at once, except a CPU profile beside
 * the trace, if CPU samples are wanted in that. One that fails or is not
 * served does not stop the others; one that somebody else prevents is tried again at the end.
 * A target has at most one incident at a time. How many there may be is bounded by the section
 * `incidents` and by the allowance of each target; the operator's signal is not bounded.
 *
 * Rules, alerts, the API and the signal order incidents here. This file does not decide when there
 * is one, and reads and writes no requests. Suspension does not concern it, as that is about the
 * schedule.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/capture/pipeline.h"
#include "daemon/order/desk.h"
#include "daemon/outcome/counters.h"
#include "lib/config/data.h"

/* One artifact of an incident. */
struct incident_piece {
    enum kind kind;
    bool begun;  /* it was ordered, and is under way or has ended */
    bool ended;  /* what follows is known */
    bool beside; /* it is taken for the samples in another only: without it, nothing is missing */
    enum outcome outcome;
    char *text; /* for people, may be ""; NULL: not known, or memory was short */
    char *key;  /* NULL: nothing was kept */
};

/* An incident, under way or ended. All texts and lists are borrowed from it. */
struct incident_report {
    const char *id; /* NULL: nothing was kept, or not yet */
    const char *service, *host, *job;
    const char *target;                   /* the URL of its traces, as logs show it */
    const char *reason;                   /* as in the records: "api", "alert:A", "trigger:R" */
    const struct record_trigger *trigger; /* NULL: no rule asked */
    usec start;                           /* real time of the order */
    usec ended;                           /* real time; 0: it is under way */
    const struct incident_piece *pieces;  /* in the order in which they are taken; behind them
                                           * what an order added that joined it */
    size_t n_pieces;
    size_t kept; /* pieces that were kept */
};

/* An incident has ended. Everything is borrowed during the call. */
typedef void (*incident_ended_fn)(void *userdata, const struct incident_report *report);

struct incident_order {
    struct target *target;
    enum reason reason;
    const char *name;   /* the reason in the records: "trigger:R"; copied. NULL: reason_name() */
    unsigned artifacts; /* what to take: a bit for each kind; 0: what the job says, or the usual */
    usec window;        /* of what has one; 0: the job's */
    bool samples;       /* with CPU samples in the trace, also if the job does not say so */
    const struct record_trigger *trigger; /* copied; NULL: no rule asks */
    bool evidence; /* the caller has a flight recording of the target, which is the first piece: see
                    * incident_evidence_ended */
    incident_ended_fn fn; /* called when it has ended; or NULL */
    void *userdata;
};

enum incident_answer {
    INCIDENT_TAKEN,
    INCIDENT_JOINED,    /* one of this target is under way; `added` is what this order adds to it,
                         * `lacks` what it wants and will not have */
    INCIDENT_LIMITED,   /* `limit` says by what, `retry_after` until when */
    INCIDENT_PLACELESS, /* of no artifact is it known at which path the target offers it */
    INCIDENT_STOPPING,  /* contraced is stopping */
    INCIDENT_NO_MEMORY, /* was logged */
};

struct incident;
struct incident_waiter; /* an order's fn that has not been called yet */

struct incident_reply {
    enum incident_answer answer;
    enum incident_limit limit; /* when limited; when joined, if retry_after is not 0 */
    usec retry_after;          /* when limited; when joined, 0: no bound forbids what it lacks */
    unsigned added, lacks;     /* when joined: a bit for each kind */
    const char *id; /* when joined: the other's, or NULL if it has none yet. Valid until the next
                     * turn of the event loop */
    struct incident_waiter *waiter; /* valid until fn is called; NULL: fn will not be called */
    struct incident *begun; /* when taken with evidence: valid until incident_evidence_ended */
};

struct incidents;

/* The share of time in which something waits for a CPU; negative: not known. */
typedef double (*incidents_pressure_fn)(void *userdata);

/* All are borrowed. `pressure` is asked at each order that the ceiling concerns. 0 or -ENOMEM. */
int incidents_new(sd_event *event, struct desk *desk, struct counters *counters,
                  incidents_pressure_fn pressure, void *userdata, struct incidents **ret);

/* Nothing may be under way. */
void incidents_free(struct incidents *is);

/* Sets the bounds; copied. What is under way goes on. */
void incidents_set(struct incidents *is, const struct incidents_config *config);

/*
 * Orders an incident. fn is called later, never from here, also when the order joined another; then
 * with that one's report. A refused order is charged to nobody.
 */
struct incident_reply incidents_order(struct incidents *is, const struct incident_order *order);

/* The tag for the record of the evidence. */
struct incident_tag *incident_evidence_tag(const struct incident *i);

/*
 * The evidence was kept as `key`, with the id that its tag proposed; or not, if key is NULL. The
 * incident goes on with what it takes itself. Whoever orders with evidence calls this once, and not
 * from inside of incidents_order.
 */
void incident_evidence_ended(struct incident *i, enum outcome outcome, const char *text,
                             const char *key);

/* How many more incidents may begin within this hour as far as all targets together are concerned, of
 * *ret_all. */
size_t incidents_room(const struct incidents *is, size_t *ret_all);

/* fn will not be called; the incident goes on. NULL is fine. */
void incidents_forget(struct incident_waiter *w);

/* The target's incident that is under way; false: none. Valid until the next turn of the loop. */
bool incident_of(const struct target *t, struct incident_report *ret);

/* Calls fn for all that are under way, then for the last INCIDENTS_RECENT that have ended, the
 * newest first. */
#define INCIDENTS_RECENT 20
void incidents_list(const struct incidents *is, incident_ended_fn fn, void *userdata);

/* contraced is stopping: no new ones, and those under way end with the capture in flight. */
void incidents_drain(struct incidents *is);

/* None is under way. */
bool incidents_idle(const struct incidents *is);
