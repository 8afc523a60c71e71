/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Helpers that write samples in the most common forms. */

#include "daemon/control/exposition.h"
#include "daemon/outcome/meters.h"

/* The label is not `job`: Prometheus sets that to the job of its own scrape, and would rename
 * ours. */
#define METRICS_JOB "scrape_job"

double metrics_seconds(usec t);

/* Write a family with one sample. */
void metrics_gauge(struct exposition *e, const char *name, const char *help, double value);
void metrics_number(struct exposition *e, const char *name, const char *help, uint64_t value);
void metrics_counter(struct exposition *e, const char *name, const char *help, uint64_t value);

/* Writes a sample with one label. */
void metrics_classed(struct exposition *e, const char *label, const char *value, uint64_t n);

#define METRICS_ARTIFACT "artifact"

/* Writes a histogram of the current family; `job` NULL: without labels. */
void metrics_histogram(struct exposition *e, const char *job, const char *artifact,
                       const struct meters_histogram *h);
