/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums by call site, from the sums by call stack, the largest first. Stacks are of one site if they
 * agree in call site, own code and class; of CPU samples in call site and class. Lists and texts are in
 * the texts' arena. Errors of memory.h. The sums are those of the last sites_close.
 */

#include <stdbool.h>

#include "trace/summary/numbers.h"
#include "trace/summary/sites.h"

/* Of one column, as of sites_add. */
int ranking_of(struct sites *s, unsigned column, struct summary_sites *ret);

/* Of one column, by the line of the program's own code where there is any. */
int ranking_of_own(struct sites *s, unsigned column, struct summary_sites *ret);

/* Of one column, for those stacks only that are true in this list, by their number. */
int ranking_of_picked(struct sites *s, unsigned column, const bool *picked,
                      struct summary_sites *ret);

/* Of a profile, with what had not ended and what was for an unknown reason, for stacks of these
 * classes only (a STACK_SET). */
int ranking_of_profile(struct sites *s, enum summary_profile profile, unsigned classes,
                       struct summary_sites *ret);
