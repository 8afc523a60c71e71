/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An allocs profile: what was allocated meanwhile, by where. It has the samples of `heap`; only a
 * snapshot names `alloc_space` as the default, so the two are not told from each other.
 */

#include "daemon/artifact/profile.h"
#include "daemon/artifact/rows.h"

const struct artifact artifact_allocs = {
    .kind = KIND_ALLOCS,
    .noun = "allocs profile",
    .what = "an allocs profile",
    .content_type = PROFILE_CONTENT_TYPE,
    .sibling = "allocs",
    .whole_seconds = true,
    .delta = true,
    .optional = true,
    .body = &profile_body,
    .sample_type = "alloc_space",
    .foreign = OUTCOME_NOT_A_PROFILE,
    .empty_hint =
        "; nothing that was sampled was allocated meanwhile, or is runtime.MemProfileRate 0 there?",
    .turn = ARTIFACT_SUMS,
};
