/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/trigger_measure.h"

bool trigger_polled(const struct trigger_config *t)
{
    return t->measure != TRIGGER_VALUE && t->measure != TRIGGER_LABEL;
}

const char *trigger_measure_name(enum trigger_measure measure)
{
    static const char *const names[TRIGGER_MEASURES] = {
        "histogram", "rate", "gauge", "ratio", "value", "label",
    };

    return names[measure];
}
