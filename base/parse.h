/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads and writes values as people write them: durations, sizes, ratios. A text is parsed whole or
 * refused, and nothing overflows. 0, -EINVAL for bad syntax, -ERANGE when the value does not fit.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * Prometheus's durations and a little more: numbers with units, largest unit first, each at most
 * once: y w d h m s ms ("1h30m", "7d"); the last number may have a fraction ("1.5s"). "0" needs no
 * unit.
 */
int parse_duration(const char *text, usec *ret_usec);

/*
 * Bytes: a number, an optional fraction, and B, kB/KB, MB, GB, TB (powers of 1000) or KiB, MiB,
 * GiB, TiB.
 */
int parse_size(const char *text, uint64_t *ret_bytes);

/* "60%" or "0.6" as a fraction of one, in [0, 1]. */
int parse_ratio(const char *text, double *ret_ratio);

/* An unsigned decimal number without sign or blanks, at most `max`. */
int parse_unsigned(const char *text, uint64_t max, uint64_t *ret_value);

/* A plain decimal number such as "2" or "1.9": not negative, no exponent, no inf or nan. */
int parse_decimal(const char *text, double *ret_value);

#define PARSE_TEXT_SIZE 48

/* "5m", "1h30m", "1.9s": text that parse_duration reads back to the same value. Returns `out`. */
const char *format_duration(usec value, char out[static PARSE_TEXT_SIZE]);

/* The same, rounded up to a whole second: how long to wait, for people. */
const char *format_wait(usec value, char out[static PARSE_TEXT_SIZE]);

/* "3.2MiB", for people. Returns `out`. */
const char *format_size(uint64_t bytes, char out[static PARSE_TEXT_SIZE]);
