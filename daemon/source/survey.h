/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What relabel_configs make of the targets: a dry run, for people who write them. */

#include <stdio.h>

#include "lib/config/config.h"

#define SURVEY_LINES 1000 /* targets of a job that are shown; the rest are only counted */

/*
 * Writes a line for each target of jobs with relabel_configs that is found without the network: kept, with URL and labels;
 * dropped, and by which rule; or invalid, and why. 0 or a negative errno.
 */
int survey_print(const struct config *config, FILE *out);
