/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Collects the plain facts for the metrics from the daemon's objects. It only reads and changes
 * nothing. The cost of a scrape grows with the number of jobs and targets.
 */

#include "base/buf.h"
#include "daemon/capture/pipeline.h"
#include "daemon/capture/targets.h"
#include "daemon/control/admin.h"
#include "daemon/outcome/meters.h"
#include "daemon/ship/uploader.h"
#include "daemon/trigger/suspension.h"
#include "daemon/watch/triggers.h"
#include "lib/config/config.h"
#include "lib/spool/spool.h"

/* Bytes of a scrape; enough for a thousand jobs that capture every artifact, and as many targets. */
#define OBSERVATION_MAX (64u << 20)

struct observation;

/* The objects that it reads; all borrowed during the call. */
struct observation_context {
    const struct config *config;
    struct retention_limits limits; /* in force */
    const struct meters *meters;
    const struct pipeline *pipeline;
    struct spool *spool;
    const struct suspension *suspension;
    struct triggers *triggers;
    struct targets *targets;
    const struct uploader *uploader;
};

/* 0 or -ENOMEM. */
int observation_new(struct observation **ret);
void observation_free(struct observation *o);

/* Appends all metrics. 0, -ENOMEM or -E2BIG. */
int observation_render(struct observation *o, const struct observation_context *c, struct buf *out);

/* Answers GET /metrics. */
void observation_serve(struct observation *o, const struct observation_context *c,
                       struct admin_call *call);
