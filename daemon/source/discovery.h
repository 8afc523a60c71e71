/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds the targets to capture: those of all sources (target_source.h), put together job by job.
 */

#include <stdio.h>
#include <systemd/sd-event.h>

#include "daemon/source/target_sink.h"
#include "lib/config/config.h"
#include "lib/yaml/diag.h"

struct discovery;

/* Called when discovery_targets may return other targets than before. */
typedef void (*discovery_changed_fn)(void *userdata);

/* 0 or a negative errno. */
int discovery_new(sd_event *event, discovery_changed_fn fn, void *userdata, struct discovery **ret);
void discovery_free(struct discovery *d);

/*
 * Uses the jobs of this configuration from now on; each source looks for their targets at once.
 * Does not call fn. 0; or a negative errno, and then the caller must set the previous configuration
 * again.
 */
int discovery_set(struct discovery *d, const struct config *config);

/*
 * Lists the targets of job `i` of the configuration, from all sources, as the job's relabel_configs
 * leave them. Release the list with target_list_done. 0 or -ENOMEM.
 */
int discovery_targets(struct discovery *d, const struct config *config, size_t i,
                      struct target_list *ret);

/*
 * Tells what becomes of each target of job `i`, of sources that find theirs without the network. 0
 * or -ENOMEM.
 */
int discovery_survey(struct discovery *d, const struct config *config, size_t i, target_sink_fn fn,
                     void *userdata);

/* Lets each source check once what the configuration names. Errors go into `d`, warnings are
 * written to `warnings`. */
void discovery_check(const struct config *config, FILE *warnings, struct diags *d);
