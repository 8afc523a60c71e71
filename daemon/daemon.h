/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon: owns all objects, starts and stops them in order, and connects them.
 */

#include "daemon/options.h"

struct daemon;

/*
 * Makes all parts and takes the spool's lock. Takes the configuration, also on failure. The options
 * are borrowed: reloads read them again. 0 or a negative errno; logs what is wrong.
 */
int daemon_new(const struct options *options, struct config *config, const char *config_file,
               struct daemon **ret);
void daemon_free(struct daemon *d);

/*
 * Runs until the daemon is told to stop. Returns the exit status of the process: 0; 1 when the
 * event loop failed, or with --once when a capture or upload failed.
 */
int daemon_run(struct daemon *d);
