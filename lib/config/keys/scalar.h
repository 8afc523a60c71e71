/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CONFIG_SCALAR_H
#define CONTRACE_CONFIG_SCALAR_H

/* Converts one value of a configuration to the type of its row, within the row's bounds. */

#include "lib/config/keys/key.h"

/* Reads the scalar at `node` as the row `key` says and stores it at `field`. Returns as in
 * yaml.h. */
int scalar_read(struct yaml_file *f, const yaml_node_t *node, const struct table_key *key,
                void *field);

/*
 * Resolves a path relative to the directory of the configuration file `file`. NULL if memory is
 * short.
 */
char *scalar_resolve_path(const char *file, const char *path);

#endif
