/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A CPU profile: where the process executed, over some seconds. A process has one CPU profiler: who
 * comes second gets a 500 (net/http/pprof's Profile), which says nothing of the target's health.
 */

#include "daemon/artifact/profile.h"
#include "daemon/artifact/rows.h"

const struct artifact artifact_cpu = {
    .kind = KIND_CPU,
    .noun = "CPU profile",
    .what = "a CPU profile",
    .content_type = PROFILE_CONTENT_TYPE,
    .sibling = "profile",
    .whole_seconds = true,
    .optional = true,
    .taken = "Could not enable CPU profiling",
    .taken_outcome = OUTCOME_IN_USE,
    .body = &profile_body,
    .sample_type = "cpu",
    .foreign = OUTCOME_NOT_A_PROFILE,
    .empty_hint = "; the process did not run for as long as a sample takes, 10 ms",
    .turn = ARTIFACT_PRESENT,
    .costly = true,
    .samples = true,
};
