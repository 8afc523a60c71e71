/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CONFIG_SCHEMA_H
#define CONTRACE_CONFIG_SCHEMA_H

/* The keys of the configuration file, as tables over struct config. */

#include "lib/config/data.h"
#include "lib/config/table.h"

/* The top level; its base is a struct config with the defaults in place. */
extern const struct table schema_root;

/* What a job has when nothing is said. 0 or -ENOMEM; config_free releases a half-made job. */
int schema_job_defaults(struct job_config *job);

/* NULL, or what is wrong with a pattern of file_sd_configs. */
const char *schema_check_pattern(const char *pattern);

/* NULL, or what is wrong with the path of a URL. */
const char *schema_check_url_path(const char *path);

#endif
