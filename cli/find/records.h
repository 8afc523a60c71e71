/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads records of many traces: those in the spool directly, those in the store several at a time.
 */

#include <stdbool.h>

#include "cli/find/catalog.h"
#include "cli/find/sources.h"

/*
 * Reads the facts of entries that were not read before. `remote`: also from the store. An entry
 * without a readable record stays without facts. 0, -EINTR, or another negative errno after a
 * message.
 */
int records_read(struct sources *s, struct catalog *c, bool remote);
