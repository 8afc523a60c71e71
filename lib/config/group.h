/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CONFIG_GROUP_H
#define CONTRACE_CONFIG_GROUP_H

/*
 * A group of targets with shared labels, {targets: [...], labels: {...}}, as in static_configs and
 * file_sd files.
 */

#include "lib/config/data.h"
#include "lib/yaml/yaml.h"

/* Reads a group and appends its targets to `list`. Returns as in yaml.h. The place of each target
 * is remembered under its `address`. */
int group_read(struct yaml_file *f, const yaml_node_t *node, struct target_list *list);

/* Appends *t, which the list takes over. 0 or -ENOMEM. */
int target_list_add(struct target_list *list, struct target_config *t);

void target_config_done(struct target_config *t);
void target_list_done(struct target_list *l);

#endif
