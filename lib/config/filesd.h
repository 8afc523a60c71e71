/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CONFIG_FILESD_H
#define CONTRACE_CONFIG_FILESD_H

/*
 * Prometheus's file_sd format: a list of {targets: [...], labels: {...}}, as JSON or YAML.
 * https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
 * Such files are often written by other machines: ${VAR} is not expanded in them. An empty file is
 * an error (a writer that was interrupted must not make all targets go away); no targets are `[]`.
 * The same target may be there twice; it is the reader's to take it once.
 */

#include "lib/config/data.h"
#include "lib/config/group.h"
#include "lib/yaml/diag.h"

/* Reads one file. If there is any error in `d`, *ret is not written. 0 or a negative errno. */
int filesd_load(const char *path, struct target_list *ret, struct diags *d);
int filesd_load_text(const char *name, const char *text, size_t len, struct target_list *ret,
                     struct diags *d);

/* As filesd_load_text, for JSON of any name. */
int filesd_load_json(const char *name, const char *text, size_t len, struct target_list *ret,
                     struct diags *d);

#endif
