/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* http_sd_configs: servers that list targets, with Prometheus's names and meaning. */

#include "lib/config/data.h"
#include "lib/config/keys/key.h"

#define HTTP_SD_MAX 100 /* http_sd_configs of one job */

/* Reads an item into the struct job_config at `base`. Errors as in yaml.h. */
int http_sd_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count);

void http_sd_done(struct http_sd *sd);
