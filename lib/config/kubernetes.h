/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubernetes_sd_configs: which pods are looked for, and at which API server. Names and meaning are
 * Prometheus's, for role `pod`. In a cluster the server, its authority and our token are known from
 * the environment. With NODE_NAME in the environment only pods of that node are looked for, unless
 * a selector of fields says otherwise, so that a DaemonSet captures each pod once.
 */

#include <stddef.h>

#include "lib/config/data.h"
#include "lib/yaml/yaml.h"

#define KUBERNETES_SECRETS "/var/run/secrets/kubernetes.io/serviceaccount/"
#define KUBERNETES_SD_MAX 100         /* kubernetes_sd_configs of one job */
#define KUBERNETES_NAMESPACES_MAX 100 /* of one of them */

/* Reads an item into the job. Errors as in yaml.h. */
int kubernetes_sd_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count);

void kubernetes_sd_done(struct kubernetes_sd *k);
