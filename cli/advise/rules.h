/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The table of the rules, and what they advise. Pure. */

#include "cli/advise/advice.h"

#define RULES 6

/* Fills in one advice for each rule, the changes first, the weightiest of them before the others. */
void rules_judge(const struct samples *s, struct advice ret[static RULES]);
