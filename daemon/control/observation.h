/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Collects what the daemon's objects know of themselves into the plain facts that the metrics are
 * rendered from. It asks and changes nothing; a scrape costs what there is to tell of.
 */

#include "base/buf.h"

#define OBSERVATION_MAX (16u << 20) /* bytes of a scrape: a thousand jobs and targets fit */

struct admin_call;
struct daemon;
struct observation;

/* 0 or -ENOMEM. */
int observation_new(struct observation **ret);
void observation_free(struct observation *o);

/* Appends all metrics of the daemon, which is built. 0, -ENOMEM or -E2BIG. */
int observation_render(struct observation *o, const struct daemon *d, struct buf *out);

/* Answers GET /metrics; `userdata` is the daemon. */
void observation_serve(void *userdata, struct admin_call *call);
