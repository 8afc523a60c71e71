/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rows of the table in artifacts.c: ROW(trace) is artifact_trace, in trace.c. Their order is
 * that of listings, and of a target's captures where several are due at once.
 */

#include "daemon/artifact/artifact.h"

#define ARTIFACT_ROWS(ROW) ROW(trace) ROW(mutex)

#define ARTIFACT_DECLARE(name) extern const struct artifact artifact_##name;
ARTIFACT_ROWS(ARTIFACT_DECLARE)
#undef ARTIFACT_DECLARE
