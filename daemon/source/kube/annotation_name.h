/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The names of annotations that say something about a pod's capture. Pure. */

#include <stdbool.h>

#define ANNOTATION_OWN "contrace/"
#define ANNOTATION_GRAFANA "profiles.grafana.com/"
#define ANNOTATION_SERVICE "resource.opentelemetry.io/service.name"

/* One of those that are read here. */
bool annotation_name_is_known(const char *name);
