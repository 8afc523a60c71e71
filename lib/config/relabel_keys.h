/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The section `relabel_configs` of a job. */

#include "lib/config/keys/table.h"

/* Reads a rule and appends it to the struct job_config at `base`. */
int relabel_keys_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count);
