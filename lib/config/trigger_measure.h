/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a rule of `trigger_configs` measures. */

#include "lib/config/data.h"

/* Whether the rule reads metrics; else it is about what inspection found. */
static inline bool trigger_polled(const struct trigger_config *t)
{
    return t->measure != TRIGGER_VALUE && t->measure != TRIGGER_LABEL;
}

/* "histogram", "rate", …: the key of the configuration. */
static inline const char *trigger_measure_name(enum trigger_measure measure)
{
    static const char *const names[TRIGGER_MEASURES] = {
        "histogram", "rate", "gauge", "ratio", "value", "label",
    };

    return names[measure];
}
