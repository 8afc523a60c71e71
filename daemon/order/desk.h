/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The place where every capture is ordered, whatever the reason: schedule, signal, API, alert or
 * trigger rule. It holds the allowance of each target. Orders of the schedule and of the operator's
 * signal are not charged. All other orders are charged to the allowance, and refused while it has
 * no room for them. Orders that are taken go to the pipeline. The desk reads no requests and writes
 * no answers.
 */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/capture/pipeline.h"

enum desk_answer {
    DESK_TAKEN,     /* it is captured now or soon, or together with a capture that waits already */
    DESK_REPEATED,  /* the same batch has ordered this target before (batch.h) */
    DESK_PLACELESS, /* it is not known at which path the target offers the artifact */
    DESK_LIMITED,   /* the allowance has no room for the order yet */
    DESK_STOPPING,  /* contraced is stopping */
    DESK_NO_MEMORY, /* was logged */
};

struct desk_reply {
    enum desk_answer answer;
    struct lane *lane; /* the lane that was ordered; NULL when repeated or placeless */
    usec retry_after;  /* when DESK_LIMITED: how long until the order would be taken */
    struct pipeline_waiter
        *waiter; /* as from pipeline_capture; NULL also when the order was refused */
};

struct desk;

/* Both are borrowed. 0 or -ENOMEM. */
int desk_new(sd_event *event, struct pipeline *pipeline, struct desk **ret);
void desk_free(struct desk *d);

/*
 * Orders a capture of the lane on demand. A charged order that joins a waiting capture is charged
 * only for the seconds that it adds; if it adds none, the allowance never refuses it. A refused
 * order is not charged.
 */
struct desk_reply desk_order(struct desk *d, struct lane *l, const struct pipeline_order *order);

/*
 * For orders of several captures of a target, which are charged together before the first: how long
 * until `cost` of capture time would be allowed, 0: now; and the charge itself. Orders of a reason
 * that is not charged never wait. The captures themselves are then ordered by desk_due.
 */
usec desk_wait(struct desk *d, const struct target *t, enum reason reason, usec cost);
void desk_charge(struct desk *d, const struct target *t, enum reason reason, usec cost);

/*
 * Orders a capture of the lane that is due by its schedule, or that repeats an order that failed.
 * The latter was charged when it was first taken, and is not charged again.
 */
struct desk_reply desk_due(struct desk *d, struct lane *l, const struct pipeline_order *order);
