/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by the files of incidents only. incident.c takes orders and carries incidents out,
 * incident_plan.c says what one takes and what that costs, incident_limits.c whether there may be
 * one, incident_join.c what an order adds to one that is under way, incident_log.c reports its end.
 */

#include "daemon/order/budget.h"
#include "daemon/order/incident.h"

/* An order that waits for the end of an incident. */
struct incident_waiter {
    struct incident_waiter *next;
    incident_ended_fn fn; /* NULL: forgotten */
    void *userdata;
};

struct incident {
    struct incidents *all;
    struct incident *prev, *next; /* in `running` or `recent` */
    struct target *target;        /* a reference; NULL once it has ended */
    struct incident_tag *tag;
    enum reason reason;
    char *name; /* the reason's, as in the order; or NULL */
    usec window;
    struct incident_report report;
    char *service, *host, *job, *shown; /* the report's */
    struct incident_piece pieces[KINDS];
    struct incident_piece *under_way; /* NULL: none */
    struct incident_piece *sampler;   /* what is taken beside the trace; NULL: nothing */
    bool samples;                     /* CPU samples are wanted in the trace */
    unsigned tries;                   /* how often what somebody else prevented was tried again */
    sd_event_source *timer;           /* for the next of these tries; NULL: there was none yet */
    struct pipeline_waiter *waiter;
    struct incident_waiter *waiters;
};

struct incident_list {
    struct incident *first, *last;
    size_t n;
};

struct incidents {
    sd_event *event;
    struct desk *desk;
    struct counters *counters;
    incidents_pressure_fn pressure;
    void *userdata;
    struct incidents_config limits;
    struct budget budget;
    struct incident_list running, recent; /* the newest first */
    bool drained;
};

/* What an incident takes, and what that costs the target. */
struct incident_plan {
    const struct artifact *artifacts[KINDS]; /* in the order in which they are taken */
    size_t n;
    const struct artifact *sampler; /* what is taken beside the trace; NULL: nothing */
    bool beside;                    /* for the samples only: nothing else wants it */
    usec traced;                    /* how long the service is traced or profiled */
    usec cost;                      /* what the allowance is charged with */
};

/*
 * incident_plan.c: plans an incident of a target of this job. `wanted` 0: what the job says.
 * What has no place at the target is left out. `window` 0: the job's. `samples`: CPU samples are
 * wanted in the trace. Pure.
 */
void incident_plan(const struct target_job *job, unsigned wanted, usec window, bool samples,
                   struct incident_plan *ret);

/* incident_limits.c: whether a budget forbids the incident; sets limit and retry_after. And charges
 * one that begins. */
bool incident_is_limited(struct incidents *is, const struct incident_order *order,
                         const struct incident_plan *plan, struct incident_reply *reply);
void incident_charge(struct incidents *is, const struct incident_order *order,
                     const struct incident_plan *plan);

/* The same for what an order adds to an incident that is under way: it is no further one. */
bool incident_is_too_long(struct incidents *is, const struct incident_order *order,
                          const struct incident_plan *plan, struct incident_reply *reply);
void incident_charge_more(struct incidents *is, const struct incident_order *order,
                          const struct incident_plan *plan);

/* incident_join.c: adds to the incident what the order wants beyond that, as far as the budget
 * allows; sets `added` and `lacks`, and limit and retry_after of the last that was refused. */
void incident_extend(struct incident *i, const struct incident_order *order,
                     struct incident_reply *reply);

/* incident_log.c: one line about an incident that has ended. */
void incident_log(const struct incident *i, enum incident_end end);
