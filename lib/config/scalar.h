/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CONFIG_SCALAR_H
#define CONTRACE_CONFIG_SCALAR_H

/* One value of a configuration: text to the type of its row in a table, within the row's bounds. */

#include "lib/config/key.h"

/* Reads the scalar at `node` as `key` says and stores it at `field`. Returns as in yaml.h. */
int scalar_read(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                void *field);

/*
 * The path as seen from the directory of the configuration file `file`: absolute ones stay as they
 * are. NULL when memory is short.
 */
char *scalar_resolve_path(const char *file, const char *path);

#endif
