/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For how long a server asks to be left alone.
 */

#include "base/clock.h"

#define RETRYAFTER_MAX USEC_PER_HOUR

/*
 * Reads a Retry-After header (RFC 9110, section 10.2.3), seconds or a date, as a wait from `now`
 * (real time, by the server's clock if known). The wait is at most RETRYAFTER_MAX, and 0 for a date
 * in the past. Returns 0, or -EINVAL.
 */
int retryafter_parse(const char *text, usec now, usec *ret_wait);
