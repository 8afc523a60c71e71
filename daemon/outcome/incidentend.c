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

const char *incident_limit_name(enum incident_limit limit)
{
    static const char *const names[INCIDENT_LIMITS] = {
        [INCIDENT_LIMIT_ALLOWANCE] = "allowance",
        [INCIDENT_LIMIT_ALL] = "max_per_hour",
        [INCIDENT_LIMIT_TARGET] = "max_per_target_per_hour",
        [INCIDENT_LIMIT_TRACED] = "max_traced",
        [INCIDENT_LIMIT_PRESSURE] = "cpu_pressure_ceiling",
    };

    return names[limit];
}
