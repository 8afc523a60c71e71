/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Rules about more than one value. */

#include <stdbool.h>

#include "lib/config/data.h"
#include "lib/yaml/yaml.h"

/* Fills in what the job inherits from the global values. `once`: no interval bounds the timeout. */
void check_inherit(const struct config *c, bool once, struct job_config *job);

/*
 * Checks all rules but "no targets". `f` is the file that was just read, for the places of errors,
 * or NULL. Errors go to `d`. 0 or -ENOMEM.
 */
int check_rules(struct config *c, bool once, struct yaml_file *f, struct diags *d);
