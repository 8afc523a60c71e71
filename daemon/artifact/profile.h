/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The body of every artifact that is a pprof profile: a message of profile.proto, compressed by
 * gzip, as runtime/pprof writes it. Only a complete profile is kept; gzip's trailer shows whether
 * it is complete. A profile without the row's sample type is foreign.
 */

#include "daemon/artifact/artifact.h"

#define PROFILE_INFLATED_MAX ((uint64_t)64 << 20) /* a larger profile is refused */

#define PROFILE_CONTENT_TYPE "application/gzip"

extern const struct artifact_body profile_body;
