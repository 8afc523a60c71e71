/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The section `incidents`, and what a job says of them. */

#include "lib/config/keys/table.h"

extern const struct table incidents_section;

/* Reads an item of a job's `incident_artifacts`. `base` is its struct job_config. */
int incidents_read_artifact(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count);
