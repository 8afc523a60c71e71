/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Waits before retries: exponential back-off with full jitter. The wait is drawn evenly from zero
 * to a ceiling that doubles, so that clients that failed together do not return together. Pure.
 */

#include <stdint.h>

#include "base/clock.h"

#define BACKOFF_BASE USEC_PER_SEC
#define BACKOFF_CAP (5 * USEC_PER_MIN)

struct backoff {
    usec base; /* ceiling of the first wait */
    usec cap;  /* of any ceiling */
};

#define BACKOFF_DEFAULT ((struct backoff){.base = BACKOFF_BASE, .cap = BACKOFF_CAP})

/* The longest wait after `attempt` failures before this one: min(cap, base × 2^attempt). */
usec backoff_ceiling(const struct backoff *b, unsigned attempt);

/*
 * The wait: `least` (from Retry-After, or 0) plus a draw up to the ceiling, so that clients with
 * the same Retry-After are spread, too. `random` is 64 random bits.
 */
usec backoff_wait(const struct backoff *b, unsigned attempt, usec least, uint64_t random);

/* Evenly drawn from 0 to `most`, inclusive. */
usec backoff_draw(usec most, uint64_t random);
