/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For how long a store asks to be left alone.
 */

#include "base/clock.h"

#define RETRYAFTER_MAX USEC_PER_HOUR

/*
 * Reads a Retry-After header (RFC 9110, section 10.2.3), seconds or a date, as a wait from `now`
 * (real time, by the store's clock if known). At most RETRYAFTER_MAX; 0 for a date in the
 * past. 0, or -EINVAL.
 */
int retryafter_parse(const char *text, usec now, usec *ret_wait);
