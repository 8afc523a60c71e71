/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How long to wait before trying again: pure arithmetic. Exponential back-off with full jitter: the
 * wait is drawn evenly from zero to a ceiling that doubles, so that many who failed together do
 * not come back together.
 */

#include <stdint.h>

#include "base/clock.h"

#define BACKOFF_BASE USEC_PER_SEC
#define BACKOFF_CAP (5 * USEC_PER_MIN)
#define BACKOFF_RETRY_AFTER_MAX USEC_PER_HOUR

struct backoff {
    usec base; /* ceiling of the first wait */
    usec cap;  /* of any ceiling */
};

#define BACKOFF_DEFAULT ((struct backoff){.base = BACKOFF_BASE, .cap = BACKOFF_CAP})

/* The longest wait after `attempt` failures before this one: min(cap, base × 2^attempt). */
usec backoff_ceiling(const struct backoff *b, unsigned attempt);

/*
 * The wait: `least` (what Retry-After asked for, or 0) and a draw up to the ceiling on top of it,
 * so that those who were told the same moment are spread too. `random` is 64 random bits.
 */
usec backoff_wait(const struct backoff *b, unsigned attempt, usec least, uint64_t random);

/* Evenly drawn from 0 to `most`, both included. */
usec backoff_draw(usec most, uint64_t random);

/*
 * The value of a Retry-After header (RFC 9110, section 10.2.3), seconds or a date, as a wait from
 * `now` (real time, by the store's clock as far as it is known); at most BACKOFF_RETRY_AFTER_MAX,
 * and 0 for a date gone by. 0, or -EINVAL.
 */
int backoff_retry_after(const char *text, usec now, usec *ret_wait);
