/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * `contraced --check-config --probe`: asks each target once for the metrics that rules read, and
 * says what it does not serve, with names like it.
 */

#include <stdio.h>

#include "lib/config/config.h"

#define PROBE_AT_ONCE 64
#define PROBE_TIMEOUT (10 * USEC_PER_SEC)

/* Writes a line for each thing that is missing. 0: nothing is; 1: something; or a negative errno. */
int probe(const struct config *config, FILE *out);
