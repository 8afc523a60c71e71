/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CONFIG_TABLE_H
#define CONTRACE_CONFIG_TABLE_H

/*
 * A mapping of the configuration as a literal table: one row a key, with its type, its bounds and
 * the field it fills. One loop reads any table; what it does not find in one is an error that names
 * the nearest key that is there. A new section is a new table and one row for it in its parent's.
 */

#include "lib/config/key.h"

/*
 * Reads a mapping into the struct at `base`. Places are remembered by the address of each field.
 * Error returns as in yaml.h; after -EINVAL the fields that could be read are filled.
 */
int table_read(struct yaml_file *f, const yaml_node_t *node, const struct table *t, void *base);

#endif
