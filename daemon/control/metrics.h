/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All metrics, rendered from plain facts: names, types, labels and help stand here and nowhere else
 * in the source; docs/METRICS.md says the same to people, and a test holds the two together.
 * Whatever is labelled is bounded: jobs by METERS_JOBS_MAX, targets by METRICS_TARGETS_MAX, all
 * else by tables.
 *
 * A time that has not come yet is 0, and then the series is there all the same.
 */

#include "base/buf.h"
#include "daemon/control/metrics_facts.h"

/* Appends all families to `out`. 0, -ENOMEM or -E2BIG. */
int metrics_render(const struct metrics_facts *f, struct buf *out);
