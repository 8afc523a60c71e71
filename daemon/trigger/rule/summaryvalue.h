/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Numbers of a trace's summary, by their path as in docs/summary.schema.json:
 * "scheduler.latency.p99_ns". */

#include <jansson.h>
#include <stdbool.h>

/* Whether the object has a number, or true or false (1 or 0), there. A part of the path that is a
 * decimal number names an item of a list. */
bool summaryvalue_find(const json_t *summary, const char *path, double *ret);
