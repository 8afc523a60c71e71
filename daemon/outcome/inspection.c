/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outcome/inspection.h"

static const char *const names[INSPECTION_END_COUNT] = {
    [INSPECTION_OK] = "ok",
    [INSPECTION_TIMEOUT] = "timeout",
    [INSPECTION_CRASHED] = "crashed",
    [INSPECTION_MEMORY] = "memory",
    [INSPECTION_FORMAT] = "format",
    [INSPECTION_UNREADABLE] = "unreadable",
    [INSPECTION_OUTPUT] = "output",
    [INSPECTION_QUEUE] = "queue",
    [INSPECTION_PARTIAL] = "partial",
    [INSPECTION_TOO_SHORT] = "too-short",
    [INSPECTION_UNAVAILABLE] = "unavailable",
    [INSPECTION_GONE] = "gone",
    [INSPECTION_CUT] = "cut",
};

const char *inspection_end_name(enum inspection_end end)
{
    return (unsigned)end < INSPECTION_END_COUNT ? names[end] : "unknown";
}
