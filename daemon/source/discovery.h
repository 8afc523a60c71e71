/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whom there is to capture: the targets of all sources (target_source.h), laid together job by job.
 */

#include <stdio.h>
#include <systemd/sd-event.h>

#include "lib/config/config.h"
#include "lib/yaml/diag.h"

struct discovery;

/* Something changed: discovery_targets may say something else now. */
typedef void (*discovery_changed_fn)(void *userdata);

/* 0 or a negative errno. */
int discovery_new(sd_event *event, discovery_changed_fn fn, void *userdata, struct discovery **ret);
void discovery_free(struct discovery *d);

/*
 * From now on for these jobs; each source looks for their targets once. Does not call fn. 0; or a
 * negative errno, and it must be set again to what was before.
 */
int discovery_set(struct discovery *d, const struct config *config);

/*
 * The targets of job `i` of the configuration, of all sources in one list. The list is new, its
 * items are borrowed until the next change: release it with free(ret->items) alone.
 */
int discovery_targets(struct discovery *d, const struct config *config, size_t i,
                      struct target_list *ret);

/* Asks each source once whether all is well: what is wrong goes into `d`. */
void discovery_check(const struct config *config, FILE *warnings, struct diags *d);
