/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Targets from Prometheus's file_sd files. The directories are watched by inotify, and read again
 * every refresh_interval for file systems that do not tell (NFS). A file that appears adds
 * its targets, one that is removed drops them, and a broken one keeps what it said before.
 */

#include <stdio.h>
#include <systemd/sd-event.h>

#include "lib/config/config.h"
#include "lib/yaml/diag.h"

struct discovery;

/* Something changed: discovery_targets may say something else now. */
typedef void (*discovery_changed_fn)(void *userdata);

/* 0 or -ENOMEM. */
int discovery_new(sd_event *event, discovery_changed_fn fn, void *userdata, struct discovery **ret);
void discovery_free(struct discovery *d);

/*
 * From now on for these jobs; reads every file once. Files that stay keep their last good targets.
 * Does not call fn. 0 or a negative errno, and then nothing changed.
 */
int discovery_set(struct discovery *d, const struct config *config);

/*
 * The targets of job `i` of the configuration: static and discovered, in one list. The list is new,
 * its items are borrowed until the next change: release it with free(ret->items) alone.
 */
int discovery_targets(struct discovery *d, const struct config *config, size_t i,
                      struct target_list *ret);

/*
 * Reads the files once, for somebody who asks whether all is well: what is wrong with them goes
 * into `d`. A pattern that matches none yet is a warning.
 */
void discovery_check(const struct config *config, FILE *warnings, struct diags *d);
