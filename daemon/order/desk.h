/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where every capture is ordered, whoever wants it: the schedule, a signal, the API, an alert, a
 * rule of ours. It holds the allowance of each target. What contraced itself has planned, and what
 * its operator signals, passes; what others ask for is charged, and refused while the allowance has
 * no room for it. What it takes goes to the pipeline. It reads no requests and writes no answers.
 */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/capture/pipeline.h"

enum desk_answer {
    DESK_TAKEN,     /* it is captured now, or soon, or with what waits already */
    DESK_REPEATED,  /* the same batch had it before (batch.h) */
    DESK_PLACELESS, /* it is not known where the target would be asked for the artifact */
    DESK_LIMITED,   /* the allowance has no room for it yet */
    DESK_STOPPING,  /* contraced is stopping */
    DESK_NO_MEMORY, /* which the log says */
};

struct desk_reply {
    enum desk_answer answer;
    struct lane *lane;              /* that was ordered; NULL when repeated or placeless */
    usec retry_after;               /* when DESK_LIMITED: from then on it would be taken */
    struct pipeline_waiter *waiter; /* as of pipeline_capture; NULL also when it was refused */
};

struct desk;

/* Both are borrowed. 0 or -ENOMEM. */
int desk_new(sd_event *event, struct pipeline *pipeline, struct desk **ret);
void desk_free(struct desk *d);

/*
 * Somebody wants what the lane is for. A charged order that joins a waiting capture is charged only
 * for the seconds that it adds; one that adds none is always taken. An order that is refused is
 * charged nothing.
 */
struct desk_reply desk_order(struct desk *d, struct lane *l, const struct pipeline_order *order);

/*
 * The lane is due by its schedule, or is tried again for the sake of an order that failed: that
 * was charged when it was taken, and is not charged again.
 */
struct desk_reply desk_due(struct desk *d, struct lane *l, const struct pipeline_order *order);
