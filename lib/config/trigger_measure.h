/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a rule of `trigger_configs` measures. */

#include "lib/config/data.h"

/* Whether the rule reads metrics; else it is about what inspection found. */
bool trigger_polled(const struct trigger_config *t);

/* "histogram", "rate", …: the key of the configuration. */
const char *trigger_measure_name(enum trigger_measure measure);
