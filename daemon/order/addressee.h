/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which targets are meant by labels that others wrote, such as those of an alert. They are read by
 * what is configured. `service` counts if there is such a service (it may have a meaning of its own
 * in Prometheus), else `job`, which names a job or a service. `instance` is where Prometheus
 * scrapes: the target's address if there is such a one, else its host. Pure.
 */

#include <stdbool.h>

#include "daemon/capture/targets.h"

struct addressee {
    const char *service, *job, *instance; /* borrowed; NULL: there is no such label */
    bool by_service, exact;               /* how they are read: addressee_read */
};

/* Decides how the labels are read. */
void addressee_read(struct addressee *a, struct targets *targets);

/* Whether it means this one. */
bool addressee_is(const struct addressee *a, const struct target *t);
