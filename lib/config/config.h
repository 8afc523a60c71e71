/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Makes a configuration: sets defaults, reads a file, adds options, checks rules. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/data.h"
#include "lib/yaml/diag.h"

/* Defaults only, no jobs. NULL when memory is short. */
struct config *config_new(void);
void config_free(struct config *c);

/*
 * Reads a YAML file over the defaults and checks all of the file's own rules. Every error found is
 * added to `d`; the configuration is good only if there is none. 0, or a negative errno with at
 * least one entry in `d`. A file without any job is good here, since --target may add one: it is
 * the owner's call of config_check that finds "no targets".
 * config_load_text does the same with text in memory (`name` stands in the messages, and relative
 * paths start from its directory).
 */
int config_load(const char *path, struct config **ret, struct diags *d);
int config_load_text(const char *name, const char *text, size_t len, struct config **ret,
                     struct diags *d);

/*
 * Adds one --target=[SERVICE=]URL with the global defaults. 0, -ENOMEM, -EINVAL with *ret_why
 * (static text).
 *
 * The job's name is SERVICE, or else the address made readable: host:port, or a socket's file name
 * without ".sock". Job names stay unique: a target whose SERVICE names a job of the command line
 * with the same scheme and path joins that job; otherwise a name that is taken gets "-2", "-3", …
 * and, where SERVICE was given, the target a label `service` that keeps its key under SERVICE.
 */
int config_add_target(struct config *c, const char *arg, const char **ret_why);

/*
 * Fills in what jobs inherit from the global values, which options may have changed, and then
 * checks the cross-field rules: at least one job, timeouts, duty cycle, limits, job names and
 * targets unique. `once`: no interval is needed, so duty cycle and interval rules do not apply. To
 * be called by the owner after options and targets were laid over a configuration that was loaded
 * or is new; positions in the file are not known any more then, and messages name the job instead.
 * 0, or -EINVAL or -ENOMEM with entries in `d`.
 */
int config_check(struct config *c, bool once, struct diags *d);
