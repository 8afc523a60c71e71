/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Samples in the forms that most metrics have. */

#include "daemon/control/exposition.h"
#include "daemon/outcome/meters.h"

/* Not `job`, which Prometheus sets to that of its own scrape and would rename. */
#define METRICS_JOB "scrape_job"

double metrics_seconds(usec t);

/* A family of one sample. */
void metrics_gauge(struct exposition *e, const char *name, const char *help, double value);
void metrics_number(struct exposition *e, const char *name, const char *help, uint64_t value);
void metrics_counter(struct exposition *e, const char *name, const char *help, uint64_t value);

/* A sample with one label. */
void metrics_classed(struct exposition *e, const char *label, const char *value, uint64_t n);

#define METRICS_ARTIFACT "artifact"

/* Of the present family; `job` NULL: without labels. */
void metrics_histogram(struct exposition *e, const char *job, const char *artifact,
                       const struct meters_histogram *h);
