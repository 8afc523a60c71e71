/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tells what is wrong with a program, if anything, by rules over a summary's numbers. Each rule
 * gives a score and the numbers that it rests on; docs/FINDINGS.md explains them and the
 * thresholds. This code measures nothing and reads no events.
 */

#include "trace/findings/context.h"
#include "trace/findings/finding.h"

/* Finds what is wrong. context: what the host knew, or NULL. ret borrows texts of s, which must
 * outlive it; all other texts are constants. */
void findings_find(const struct summary *s, const struct context *context, struct findings *ret);
