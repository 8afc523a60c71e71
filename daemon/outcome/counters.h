/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counts of events since the start, by class. They are plain numbers; the code that changes them
 * includes this file.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "daemon/outcome/incidentend.h"
#include "daemon/outcome/inspection.h"
#include "daemon/outcome/outcome.h"
#include "daemon/outcome/reception.h"

struct counters {
    uint64_t captures[OUTCOME_COUNT];
    uint64_t bytes; /* of published traces */
    uint64_t inspections[INSPECTION_END_COUNT];
    uint64_t incidents[INCIDENT_ENDS];
    uint64_t incidents_refused[INCIDENT_LIMITS]; /* what refused those of INCIDENT_REFUSED */
    uint64_t incidents_under_way;                /* now */
    uint64_t pushes[RECEPTION_COUNT];
    uint64_t pushed_bytes;   /* of recordings that were kept */
    uint64_t alerts_refused; /* notifications of Alertmanager that were refused */
    uint64_t labels_lost;    /* labels that could not be written into the record */
    uint64_t reloads, reloads_failed;
    usec last_reload; /* real time when the configuration was read last, if with success or not */
    bool last_reload_ok;
    usec config_read;  /* real time at which the configuration in use was read */
    usec last_success; /* real time of the last published trace's request; 0: none yet */
};

/* Appends "captures: 12 ok, 1 busy, 2 timeout; inspections: 12 ok", for the log: only classes that
 * occurred. */
void counters_describe(const struct counters *c, struct buf *out);
