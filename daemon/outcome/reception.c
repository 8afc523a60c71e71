/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outcome/reception.h"

static const char *const names[RECEPTION_COUNT] = {
    [RECEPTION_KEPT] = "kept",       [RECEPTION_NOT_A_TRACE] = "not_a_trace",
    [RECEPTION_CUT] = "cut",         [RECEPTION_TOO_LARGE] = "too_large",
    [RECEPTION_UNKNOWN] = "unknown", [RECEPTION_BUSY] = "busy",
    [RECEPTION_LIMITED] = "limited", [RECEPTION_REFUSED] = "refused",
    [RECEPTION_FAILED] = "failed",
};

const char *reception_name(enum reception reception)
{
    return names[reception];
}
