/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds the targets that labels from outside mean, such as those of an alert. What is configured
 * decides how they are read. `service` is used if a target has that service, as the label may mean
 * something else in Prometheus; otherwise `job` is used, which names a job or a service. `instance`
 * is the address that Prometheus scrapes: if a target has this address, that target is meant,
 * otherwise every target on its host. Pure.
 */

#include <stdbool.h>

#include "daemon/capture/targets.h"

struct addressee {
    const char *service, *job, *instance; /* borrowed; NULL: there is no such label */
    bool by_service, exact;               /* how they are read; set by addressee_read */
};

/* Decides how the labels are read, and notes that in `a`. */
void addressee_read(struct addressee *a, struct targets *targets);

/* True if the labels mean this target. */
bool addressee_is(const struct addressee *a, const struct target *t);
