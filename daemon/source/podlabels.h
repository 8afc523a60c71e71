/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The targets of a pod as labels. Where the job has relabel_configs they are Prometheus's: one
 * target for each declared port, or for a container without any, with all meta labels. Where it has
 * none there is one, if the pod's annotations want it.
 * https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config
 */

#include "daemon/source/kube/pod.h"
#include "daemon/source/target_sink.h"

/* Puts the targets of the pod; `relabelled`: the job has relabel_configs. 0 or -ENOMEM. */
int podlabels_put(const struct pod *p, bool relabelled, struct target_sink *to);
