/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How incidents end, and what forbids them. */

enum incident_end {
    INCIDENT_COMPLETE, /* all that belongs to it was kept */
    INCIDENT_PARTIAL,
    INCIDENT_FAILED,  /* nothing was kept */
    INCIDENT_REFUSED, /* beyond a budget, or CPUs were too short */
    INCIDENT_ENDS,
};

/* One word for counters, metrics and the log: "partial". */
const char *incident_end_name(enum incident_end end);

enum incident_limit {
    INCIDENT_LIMIT_ALLOWANCE, /* of captures on demand: the target's allowance (allowance.h) */
    INCIDENT_LIMIT_ALL,       /* incidents.max_per_hour */
    INCIDENT_LIMIT_TARGET,    /* incidents.max_per_target_per_hour */
    INCIDENT_LIMIT_TRACED,    /* incidents.max_traced */
    INCIDENT_LIMIT_PRESSURE,  /* incidents.cpu_pressure_ceiling */
    INCIDENT_LIMITS,
};

/* "allowance", "max_per_hour", …: the configuration's key where there is one. */
const char *incident_limit_name(enum incident_limit limit);
