/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_CONFIG_SCHEMA_H
#define CONTRACE_CONFIG_SCHEMA_H

/* The keys of the configuration file, as tables over struct config. */

#include "lib/config/data.h"
#include "lib/config/keys/table.h"

/* The top level; its base is a struct config with defaults. */
extern const struct table schema_root;

/* Sets a job's defaults. 0 or -ENOMEM; config_free releases a job that is incomplete. */
int schema_job_defaults(struct job_config *job);

/* What is wrong with a pattern of file_sd_configs; NULL: nothing. */
const char *schema_check_pattern(const char *pattern);

#endif
