/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a pod's annotations say about its capture: those under `contrace/`, and where they are silent
 * those that Grafana's agents read. Pure.
 */

#include <stdbool.h>

#include "daemon/source/kube/pod.h"

/* What it asks for; each text is borrowed from the pod, or NULL where nothing is said. */
struct annotation {
    bool scrape;          /* it is to be captured */
    const char *port;     /* a number or a declared port's name */
    const char *path;     /* of traces */
    const char *cpu_path; /* of CPU profiles; `path` goes before it */
    const char *scheme;
    const char *artifacts; /* names with commas or blanks between them */
    const char *service;
};

void annotation_read(const struct pod *p, struct annotation *ret);
