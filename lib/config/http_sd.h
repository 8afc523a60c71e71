/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* http_sd_configs: servers that list targets, with Prometheus's names and meaning. */

#include <stddef.h>

#include "base/clock.h"
#include "lib/config/key.h"
#include "lib/net/access.h"

#define HTTP_SD_MAX 100 /* http_sd_configs of one job */

struct http_sd {
    char *url;    /* http or https, without a user; it may have a query */
    usec refresh; /* from one answer to the next request */
    struct access access;
};

/* Reads an item into the struct job_config at `base`. Errors as in yaml.h. */
int http_sd_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count);

void http_sd_done(struct http_sd *sd);
