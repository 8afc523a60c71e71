/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A goroutine profile: how many goroutines there are, by stack. Without `seconds` it is a snapshot;
 * with it, the difference of two.
 */

#include "daemon/artifact/profile.h"
#include "daemon/artifact/rows.h"

const struct artifact artifact_goroutine = {
    .kind = KIND_GOROUTINE,
    .noun = "goroutine profile",
    .what = "a goroutine profile",
    .content_type = PROFILE_CONTENT_TYPE,
    .sibling = "goroutine",
    .whole_seconds = true,
    .delta = true,
    .snapshot = true,
    .optional = true,
    .body = &profile_body,
    .sample_type = "goroutine",
    .foreign = OUTCOME_NOT_A_PROFILE,
    .empty_hint = "; the number of goroutines of each stack was the same at both ends",
    .turn = ARTIFACT_STATE,
    .of_incidents = true,
};
