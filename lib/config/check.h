/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rules that more than one value has a part in. */

#include <stdbool.h>

#include "lib/config/data.h"
#include "lib/yaml/yaml.h"

/* Fills in what the job takes from the global values. `once`: no interval bounds the timeout. */
void check_inherit(const struct config *c, bool once, struct job_config *job);

/*
 * All rules but that of the missing targets. `f` is the file that the configuration was just read
 * from, for the places, or NULL. Errors go to `d`. 0 or -ENOMEM.
 */
int check_rules(struct config *c, bool once, struct yaml_file *f, struct diags *d);
