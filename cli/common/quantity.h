/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Quantities as a person reads them: three digits and a unit, shares, bars. Each returns what it
 * wrote, which is `out`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define QUANTITY_SIZE 32

/* "0", "512 ns", "3.33 µs", "12.5 ms", "2.04 s", "75 min"; us instead of µs unless utf8. */
const char *quantity_duration(int64_t ns, bool utf8, char out[static QUANTITY_SIZE]);

/* A number without its fraction; the nearest that there is, of one beyond all of them; 0 of what is
 * no number. */
int64_t quantity_whole(double value);

/* "1,126,516" */
const char *quantity_count(uint64_t n, char out[static QUANTITY_SIZE]);

/* What a noun ends in behind a count: "s", or nothing behind 1. */
const char *quantity_plural(uint64_t n);

/* "0.02", "49.9", "1,024": a mean of a count. */
const char *quantity_mean(double value, char out[static QUANTITY_SIZE]);

/* "512 B", "5.53 MB", as powers of ten */
const char *quantity_bytes(uint64_t n, char out[static QUANTITY_SIZE]);

/* "61.3%", "0.04%", "100%"; "-" for a negative one */
const char *quantity_share(double share, char out[static QUANTITY_SIZE]);

/* A bar of at most `width` (up to 40) columns for a share of 1, in eighths of a column if utf8. */
#define QUANTITY_BAR_SIZE 128
const char *quantity_bar(double share, unsigned width, bool utf8,
                         char out[static QUANTITY_BAR_SIZE]);

/* "45s", "12m", "3h05m", "4d02h": returns `out`. */
#define QUANTITY_AGE_SIZE 16
const char *quantity_age(usec age, char out[static QUANTITY_AGE_SIZE]);
