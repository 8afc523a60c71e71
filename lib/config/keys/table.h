/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CONFIG_TABLE_H
#define CONTRACE_CONFIG_TABLE_H

/*
 * A table describes a mapping of the configuration: a row for each key, with type, bounds and
 * field. One loop reads every table. An unknown key is an error that names the most similar known
 * key. A new section is a new table, and a row in its parent's table.
 */

#include "lib/config/keys/key.h"

/*
 * Reads a mapping into the struct at `base`. Places are remembered by the address of each field.
 * Errors as in yaml.h; after -EINVAL the fields that could be read are filled.
 */
int table_read(struct yaml_file *f, const yaml_node_t *node, const struct table *t, void *base);

#endif
