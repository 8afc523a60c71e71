/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A mutex profile: who held the locks that others waited for, over some seconds. net/http/pprof
 * gives the difference of two profiles when `seconds` is a whole number (serveDeltaProfile). Its
 * format is that of a block profile: nothing in the bytes says which of the two it is.
 */

#include "daemon/artifact/profile.h"
#include "daemon/artifact/rows.h"

const struct artifact artifact_mutex = {
    .kind = KIND_MUTEX,
    .noun = "mutex profile",
    .what = "a mutex profile",
    .content_type = PROFILE_CONTENT_TYPE,
    .sibling = "mutex",
    .whole_seconds = true,
    .delta = true,
    .optional = true,
    .body = &profile_body,
    .sample_type = "delay",
    .foreign = OUTCOME_NOT_A_PROFILE,
    .empty_hint = "; no goroutine waited for a lock meanwhile, or the service never called "
                  "runtime.SetMutexProfileFraction(100)",
    .turn = ARTIFACT_SUMS,
    .of_incidents = true,
};
