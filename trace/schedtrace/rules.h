/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rules, each in the file of its name; private to the table in patterns.c. */

#include "trace/schedtrace/pattern.h"

extern const struct pattern_rule starved_rule;
extern const struct pattern_rule incalls_rule;
extern const struct pattern_rule netpoll_rule;
extern const struct pattern_rule gcstall_rule;
extern const struct pattern_rule stuckp_rule;
