/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A heap profile: what is in use, by where it was allocated, as of the last garbage collection. It
 * has the samples of `allocs` too; without `seconds` these are since the start of the process.
 */

#include "daemon/artifact/profile.h"
#include "daemon/artifact/rows.h"

const struct artifact artifact_heap = {
    .kind = KIND_HEAP,
    .noun = "heap profile",
    .what = "a heap profile",
    .content_type = PROFILE_CONTENT_TYPE,
    .sibling = "heap",
    .whole_seconds = true,
    .delta = true,
    .snapshot = true,
    .optional = true,
    .body = &profile_body,
    .sample_type = "inuse_space",
    .foreign = OUTCOME_NOT_A_PROFILE,
    .empty_hint = "; nothing was sampled: is runtime.MemProfileRate 0 there?",
    .turn = ARTIFACT_SUMS,
};
