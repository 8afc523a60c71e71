/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Steps of the readers of lines. Each moves *at behind what it read, or returns false and leaves it.
 * A zero byte ends the text. */

#include <stdbool.h>
#include <stdint.h>

bool scan_text(const char **at, const char *expected);

/* Decimal digits, at most `max`. */
bool scan_number(const char **at, uint64_t max, uint64_t *ret);

/* Decimal digits with or without a fraction; no sign, no exponent. */
bool scan_decimal(const char **at, double *ret);
