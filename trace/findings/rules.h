/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rows of the table in findings.c: RULE(lock) stands for rule_lock, defined in lock.c. Of two
 * rules with the same score the one that stands first wins: so a cause stands before its
 * consequence.
 */

#include "trace/findings/rule.h"

#define RULE_ROWS(RULE) \
    RULE(throttled)     \
    RULE(stalled)       \
    RULE(lock)          \
    RULE(leak)          \
    RULE(gc)            \
    RULE(storm)         \
    RULE(timers)        \
    RULE(polling)       \
    RULE(herd)          \
    RULE(imbalance)     \
    RULE(stuck)         \
    RULE(saturated)     \
    RULE(retry)         \
    RULE(network)

#define RULE_DECLARE(name) extern const struct rule rule_##name;
RULE_ROWS(RULE_DECLARE)
#undef RULE_DECLARE
