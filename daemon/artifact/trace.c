/* SPDX-License-Identifier: Apache-2.0 */

/* An execution trace, from net/http/pprof's Trace. */

#include "daemon/artifact/rows.h"
#include "daemon/artifact/tracebody.h"

const struct artifact artifact_trace = {
    .kind = KIND_TRACE,
    .noun = "trace",
    .what = "a Go execution trace",
    .content_type = "application/octet-stream",
    .taken = "Could not enable tracing",
    .taken_outcome = OUTCOME_BUSY,
    .body = &trace_body,
    .part = "one generation",
    .parts = "whole generations",
    .foreign = OUTCOME_NOT_A_TRACE,
    .context = true,
    .inspected = true,
    .turn = ARTIFACT_PRESENT,
    .costly = true,
    .of_incidents = true,
    .sampled = true,
};
