/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A threadcreate profile: how many threads the process has made. Go has recorded no stacks for it
 * since 1.6, so it is little more than a number.
 */

#include "daemon/artifact/profile.h"
#include "daemon/artifact/rows.h"

const struct artifact artifact_threadcreate = {
    .kind = KIND_THREADCREATE,
    .noun = "threadcreate profile",
    .what = "a threadcreate profile",
    .content_type = PROFILE_CONTENT_TYPE,
    .sibling = "threadcreate",
    .whole_seconds = true,
    .delta = true,
    .snapshot = true,
    .optional = true,
    .body = &profile_body,
    .sample_type = "threadcreate",
    .foreign = OUTCOME_NOT_A_PROFILE,
    .empty_hint = "; no thread was made meanwhile",
    .turn = ARTIFACT_SUMS,
};
