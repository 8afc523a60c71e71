/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare/spread.h"

#include <math.h>
#include <stdlib.h>

#define PAIRS_EXACT 400 /* counts below C(40, 20) are whole numbers of a double */

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static struct spread_side side_of(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return (struct spread_side){
        .median = (values[(n - 1) / 2] + values[n / 2]) / 2,
        .min = values[0],
        .max = values[n - 1],
    };
}

/*
 * The distribution of Mann and Whitney's U: how many orders have u pairs wrong is the coefficient
 * of q^u in the Gaussian binomial, the product of (1 - q^(m + i)) / (1 - q^i) for i from 1 to n.
 */
static double exact(size_t n, size_t m, size_t u)
{
    double counts[PAIRS_EXACT + 1] = {1}, below = 0, all = 0;
    size_t pairs = n * m;

    for (size_t i = 1; i <= n; i++) {
        for (size_t k = pairs; k + 1 > m + i; k--)
            counts[k] -= counts[k - m - i];
        for (size_t k = i; k <= pairs; k++)
            counts[k] += counts[k - i];
    }
    for (size_t k = 0; k <= pairs; k++) {
        below += k <= u ? counts[k] : 0;
        all += counts[k];
    }
    return below / all;
}

double spread_chance(size_t n, size_t m, size_t u)
{
    double pairs = (double)n * (double)m, deviation;

    if (pairs <= PAIRS_EXACT)
        return exact(n, m, u);
    deviation = sqrt(pairs * (double)(n + m + 1) / 12);
    return erfc((pairs / 2 - (double)u - 0.5) / deviation / sqrt(2)) / 2;
}

/* Pairs of which the value of `high` is not above that of `low`: equal ones count against a
 * difference. */
static size_t wrong_pairs(const double *low, size_t n, const double *high, size_t m)
{
    size_t wrong = 0, below = 0;

    for (size_t k = 0; k < m; k++) {
        while (below < n && low[below] < high[k])
            below++;
        wrong += n - below;
    }
    return wrong;
}

/* For samples too small for the test to tell anything: the gap between the two is wider than each
 * of them. Ratios count, as what is measured here varies by factors. */
static bool is_apart(const struct spread_side *low, const struct spread_side *high, double least)
{
    double gap = log(high->min + least) - log(low->max + least);
    double wide = log(low->max + least) - log(low->min + least);
    double other = log(high->max + least) - log(high->min + least);

    return gap > 0 && gap > (wide > other ? wide : other);
}

static bool differ(const struct spread *s, const double *before, size_t n, const double *after,
                   size_t m, double least)
{
    bool rises = s->after.median > s->before.median;

    if (2 * spread_chance(n, m, 0) > SPREAD_ALARM)
        return rises ? is_apart(&s->before, &s->after, least)
                     : is_apart(&s->after, &s->before, least);
    return 2 * spread_chance(n, m,
                             rises ? wrong_pairs(before, n, after, m)
                                   : wrong_pairs(after, m, before, n)) <=
           SPREAD_ALARM;
}

static double at_least(double value, double least)
{
    return value > least ? value : least;
}

struct spread spread_judge(double *before, size_t n, double *after, size_t m, double least)
{
    struct spread s = {
        .before = side_of(before, n),
        .after = side_of(after, m),
        .known = n >= SPREAD_SAMPLES && m >= SPREAD_SAMPLES,
    };
    double change = s.known ? SPREAD_CHANGE : SPREAD_CHANGE_BLIND;

    s.ratio = at_least(s.after.median, least) / at_least(s.before.median, least);
    s.moved = fabs(s.after.median - s.before.median) >= least &&
              (s.ratio >= change || s.ratio <= 1 / change) &&
              (!s.known || differ(&s, before, n, after, m, least));
    return s;
}
