/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The body of every artifact that is an execution trace. It streams generation by generation, so
 * the complete generations of a trace that was cut are worth keeping.
 */

#include "daemon/artifact/artifact.h"

extern const struct artifact_body trace_body;
