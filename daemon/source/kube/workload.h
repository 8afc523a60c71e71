/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How the workload is called that a pod belongs to. Pure. */

#include "daemon/source/kube/pod.h"

/*
 * The name of the Deployment, StatefulSet, DaemonSet, CronJob or Job, as far as the pod shows it;
 * without one, what its labels say, or its own name. To be freed; NULL when memory is short.
 */
char *workload_name(const struct pod *p);
