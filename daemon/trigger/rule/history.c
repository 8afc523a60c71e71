/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/history.h"

#include <math.h>
#include <stdlib.h>

#define TENTH (HISTORY_SLOTS / 10)
#define STILL_GROWS 0.25 /* of the growth, in the second half */

void history_init(struct history *h, usec span)
{
    *h = (struct history){.slot = span / HISTORY_SLOTS ? span / HISTORY_SLOTS : 1};
    for (size_t i = 0; i < HISTORY_SLOTS; i++)
        h->means[i] = NAN;
}

void history_add(struct history *h, double value, usec now)
{
    usec number = now / h->slot;
    double *mean;

    if (h->begun == 0) {
        h->begun = now;
        h->number = number;
    }
    /* Of a long gap, every slot is cleared once. */
    for (usec i = 0; h->number < number; i++, h->number++) {
        if (i >= HISTORY_SLOTS)
            h->number = number - 1;
        h->means[(h->number + 1) % HISTORY_SLOTS] = NAN;
        h->n = 0;
    }
    mean = &h->means[number % HISTORY_SLOTS];
    *mean = h->n == 0 ? value : *mean + (value - *mean) / (h->n + 1);
    h->n++;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median of the slots that are `from` to `from` + `n` - 1 slots old. False: fewer than `least`
 * have a value. */
static bool median(const struct history *h, size_t from, size_t n, size_t least, double *ret)
{
    double values[HISTORY_SLOTS];
    size_t have = 0;

    for (size_t age = from; age < from + n && age <= h->number; age++) {
        double mean = h->means[(h->number - age) % HISTORY_SLOTS];

        if (!isnan(mean))
            values[have++] = mean;
    }
    if (have < least || have == 0)
        return false;
    qsort(values, have, sizeof(values[0]), by_value);
    *ret = have % 2 ? values[have / 2] : (values[have / 2 - 1] + values[have / 2]) / 2;
    return true;
}

bool history_median(const struct history *h, size_t least, double *ret)
{
    return median(h, 1, HISTORY_SLOTS - 1, least, ret);
}

bool history_growth(const struct history *h, double *ret)
{
    double first, middle, last;

    if (h->begun == 0 || h->number - h->begun / h->slot < HISTORY_SLOTS - 1 ||
        !median(h, HISTORY_SLOTS - TENTH, TENTH, 1, &first) ||
        !median(h, (HISTORY_SLOTS - TENTH) / 2, TENTH, 1, &middle) ||
        !median(h, 0, TENTH, 1, &last) || !(first > 0))
        return false;
    *ret = (last - first) / first;
    if (*ret > 0 && last - middle < STILL_GROWS * (last - first))
        *ret = 0;
    return true;
}
