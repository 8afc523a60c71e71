/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Renders all metrics from plain facts. Their names, types, labels and help texts are here and
 * nowhere else in the source. docs/METRICS.md describes them for people, and a test checks that
 * the two agree. The number of values of each label is bounded: jobs by METERS_JOBS_MAX, targets by
 * METRICS_TARGETS_MAX, all others by tables.
 *
 * The time of an event that has not happened yet is 0; its series exists all the same.
 */

#include "base/buf.h"
#include "daemon/control/metrics_facts.h"

/* Appends all families to `out`. 0, -ENOMEM or -E2BIG. */
int metrics_render(const struct metrics_facts *f, struct buf *out);
