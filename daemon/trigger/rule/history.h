/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The values of some time past, in constant memory: HISTORY_SLOTS slots of equal length, of each the
 * mean. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

#define HISTORY_SLOTS 60

struct history {
    usec slot;                   /* the length of one */
    usec begun;                  /* when the first value came */
    usec number;                 /* of the newest slot: its begin / `slot` */
    double means[HISTORY_SLOTS]; /* by number % HISTORY_SLOTS; NaN: no value came */
    unsigned n;                  /* values in the newest */
};

/* Empty; it will remember the time `span`. */
void history_init(struct history *h, usec span);

/* Adds a value of boot time `now`. */
void history_add(struct history *h, double value, usec now);

/* The median of the slots that are over. False: fewer than `least` of them have a value. */
bool history_median(const struct history *h, size_t least, double *ret);

/*
 * By which share the values grew over the span: from the median of its first tenth to that of its
 * last, if at least a quarter of it came in the second half; else 0, as what has become steady
 * again grows no more. False: the history is shorter than its span, has no value at one of these
 * times, or began at 0 or below.
 */
bool history_growth(const struct history *h, double *ret);
