/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rows of the table in artifacts.c: ROW(trace) stands for artifact_trace, defined in trace.c.
 * Listings have the same order, and so have a target's captures when several are due at once.
 */

#include "daemon/artifact/artifact.h"

#define ARTIFACT_ROWS(ROW) \
    ROW(trace)             \
    ROW(flight)            \
    ROW(cpu)               \
    ROW(mutex) ROW(block) ROW(goroutine) ROW(heap) ROW(allocs) ROW(threadcreate) ROW(goroutineleak)

#define ARTIFACT_DECLARE(name) extern const struct artifact artifact_##name;
ARTIFACT_ROWS(ARTIFACT_DECLARE)
#undef ARTIFACT_DECLARE
