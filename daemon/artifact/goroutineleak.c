/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A goroutineleak profile: goroutines that wait for what nobody can reach any more. Go 1.27 has it,
 * 1.26 with GOEXPERIMENT=goroutineleakprofile. It forces a garbage collection, so it stands last in
 * the table.
 */

#include "daemon/artifact/profile.h"
#include "daemon/artifact/rows.h"

const struct artifact artifact_goroutineleak = {
    .kind = KIND_GOROUTINELEAK,
    .noun = "goroutineleak profile",
    .what = "a goroutineleak profile",
    .content_type = PROFILE_CONTENT_TYPE,
    .sibling = "goroutineleak",
    .whole_seconds = true,
    .snapshot = true,
    .optional = true,
    .body = &profile_body,
    .sample_type = "goroutineleak",
    .foreign = OUTCOME_NOT_A_PROFILE,
    .empty_hint = "; no goroutine waits for what nobody can reach any more",
    .turn = ARTIFACT_FORCED,
};
