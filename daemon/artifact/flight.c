/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A flight recording: what runtime/trace's FlightRecorder (Go 1.25) kept of the last seconds, as an
 * execution trace. The standard library serves it nowhere: a job's `flight` says where its services
 * do, and how it is asked for.
 */

#include "daemon/artifact/rows.h"
#include "daemon/artifact/tracebody.h"

const struct artifact artifact_flight = {
    .kind = KIND_FLIGHT,
    .noun = "flight recording",
    .what = "a flight recording",
    .content_type = "application/octet-stream",
    .elsewhere = true,
    .snapshot = true,
    .may_wait = true,
    .optional = true,
    .place_hint = "; `flight` must lead, by its method, to a handler that writes the recording "
                  "itself (FlightRecorder.WriteTo), and not to a page or a viewer of it",
    .body = &trace_body,
    .part = "one generation",
    .parts = "whole generations",
    .foreign = OUTCOME_NOT_A_TRACE,
    .inspected = true,
    .turn = ARTIFACT_PAST,
    .of_incidents = true,
};
