/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A value of a JSON document as a person reads it, in the unit that its name says. */

#include <jansson.h>

#include "base/buf.h"

#define TOLD_SIZE 64

/* "41 ms", "1.3%", "5.53 MB", "1,024", "0.82". Returns `out`. */
const char *told_number(double value, const char *name, char out[static TOLD_SIZE]);

/* Appends the same of any value: texts as they are, and of times the number as well, "41 ms
 * (41000000)", as three digits may hide what made a difference. */
void told_value(struct buf *out, const json_t *value, const char *name);
