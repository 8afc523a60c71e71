/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "trace/findings/finding.h"

/* Adds a note if the program ends regions in a wrong order. That does not slow the program down,
 * but Go's tools cannot read such a trace to its end. */
void misnested_note(const struct summary *s, struct findings *ret);
