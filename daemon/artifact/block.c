/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A block profile: where goroutines waited for locks, channels and each other, over some seconds.
 * Its format is that of a mutex profile: nothing in the bytes says which of the two it is.
 */

#include "daemon/artifact/profile.h"
#include "daemon/artifact/rows.h"

const struct artifact artifact_block = {
    .kind = KIND_BLOCK,
    .noun = "block profile",
    .what = "a block profile",
    .content_type = PROFILE_CONTENT_TYPE,
    .sibling = "block",
    .whole_seconds = true,
    .delta = true,
    .optional = true,
    .body = &profile_body,
    .sample_type = "delay",
    .foreign = OUTCOME_NOT_A_PROFILE,
    .empty_hint =
        "; no goroutine was blocked for long enough meanwhile, or the service never called "
        "runtime.SetBlockProfileRate(int(time.Millisecond))",
    .turn = ARTIFACT_SUMS,
    .of_incidents = true,
};
