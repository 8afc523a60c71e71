/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The body of every artifact that is a profile of pprof: a message of profile.proto, compressed by
 * gzip, as runtime/pprof writes it. It is whole or nothing: gzip's trailer says whether it is whole.
 */

#include "daemon/artifact/artifact.h"

#define PROFILE_INFLATED_MAX ((uint64_t)64 << 20) /* what is more than this is refused */

#define PROFILE_CONTENT_TYPE "application/gzip"

extern const struct artifact_body profile_body;
