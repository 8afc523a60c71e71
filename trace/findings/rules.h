/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rules of all codes (code.h): rule_lock, defined in lock.c, and so on. */

#include "trace/findings/code.h"
#include "trace/findings/rule.h"

#define RULE_DECLARE(name, text) extern const struct rule rule_##name;
CODE_ROWS(RULE_DECLARE)
#undef RULE_DECLARE
