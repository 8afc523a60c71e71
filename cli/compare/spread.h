/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether two samples of a number differ by more than their spread explains: what that means, and
 * how often it is wrong, docs/DIFF.md has. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#define SPREAD_SAMPLES 3      /* on each side, before a spread is known */
#define SPREAD_ALARM 0.01     /* false alarms of the rank test, at most */
#define SPREAD_CHANGE 1.1     /* a smaller ratio is no difference, */
#define SPREAD_CHANGE_BLIND 2 /* nor is this one where no spread is known */

struct spread_side {
    double median, min, max;
};

struct spread {
    struct spread_side before, after;
    bool known;   /* there are enough samples on both sides */
    double ratio; /* of the medians; one below `least` counts as that */
    bool moved;
};

/*
 * Sorts both samples, of which each has at least one value. Values are not negative; a difference
 * below `least`, which is positive, is none.
 */
struct spread spread_judge(double *before, size_t n, double *after, size_t m, double least);

/* How likely it is that, of two samples of the same distribution without equal values, at most
 * `u` of the n * m pairs are in the wrong order. */
double spread_chance(size_t n, size_t m, size_t u);
