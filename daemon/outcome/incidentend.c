/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outcome/incidentend.h"

const char *incident_end_name(enum incident_end end)
{
    static const char *const names[INCIDENT_ENDS] = {
        [INCIDENT_COMPLETE] = "complete",
        [INCIDENT_PARTIAL] = "partial",
        [INCIDENT_FAILED] = "failed",
        [INCIDENT_REFUSED] = "refused",
    };

    return names[end];
}
