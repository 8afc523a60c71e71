/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads the records of many traces: those of the spool at once, those of the store several at a
 * time.
 */

#include <stdbool.h>

#include "cli/find/catalog.h"
#include "cli/find/sources.h"

/*
 * Fills in the facts of the entries that have none yet and were not asked for. `remote`: also of
 * those whose record is only in the store. An entry without a readable record stays without facts.
 * 0, -EINTR, or another negative errno after a message.
 */
int records_read(struct sources *s, struct catalog *c, bool remote);
