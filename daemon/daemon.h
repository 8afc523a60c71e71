/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon: owns every object, starts and stops them in order, and connects them.
 */

#include "daemon/options.h"

struct daemon;

/*
 * Builds everything and takes the spool. The configuration becomes the daemon's, also on failure.
 * What is wrong is logged. 0 or a negative errno. The options are borrowed: reloads read them
 * again.
 */
int daemon_new(const struct options *options, struct config *config, const char *config_file,
               struct daemon **ret);
void daemon_free(struct daemon *d);

/*
 * Runs until it is told to stop. The exit status of the process: 0, or 1 when --once failed
 * somewhere.
 */
int daemon_run(struct daemon *d);
