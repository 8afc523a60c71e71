/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From an incident's id to the trace that explains it. */

#include "cli/find/local.h"

/*
 * The key of the incident's trace in the spool: the first one that has a record with this id, or
 * else its flight recording. 0; -ENOENT: there is neither; or another negative errno.
 */
int incident_trace(const struct local *local, const char *id, char ret_key[static NAME_KEY_MAX]);
