/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Moments as people write them on a command line, all in UTC as keys are: RFC 3339,
 * "2026-11-21", "2026-11-21T15:04", "15:04" (the last time that it was that late), or a duration
 * back from now ("2h"). Each names a span: a day, a minute, a second.
 */

#include "base/clock.h"

/* The span is [*ret_first, *ret_end). 0, or -EINVAL for anything else. */
int moment_parse(const char *text, usec now, usec *ret_first, usec *ret_end);
