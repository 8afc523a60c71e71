/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How incidents end, and orders of them that are refused. */

enum incident_end {
    INCIDENT_COMPLETE, /* all that belongs to it was kept */
    INCIDENT_PARTIAL,
    INCIDENT_FAILED,  /* nothing was kept */
    INCIDENT_REFUSED, /* beyond a budget, or CPUs were too short */
    INCIDENT_ENDS,
};

/* One word for counters, metrics and the log: "partial". */
const char *incident_end_name(enum incident_end end);
