/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* INDEX.md beside what was pulled of an incident: why it was taken, what was found, what opens what. */

#include "cli/find/catalog.h"

#define CASEBOOK_NAME "INDEX.md"

/*
 * Writes it into the directory, in the place of an older one. The entries must have their facts, and
 * lie there flat. 0, or a negative errno after a message.
 */
int casebook_write(const char *directory, const char *incident, const struct catalog *c);
