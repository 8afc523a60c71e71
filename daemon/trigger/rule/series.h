/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which series of a page came already. They are told apart by a hash of 64 bits, so that a series
 * takes eight bytes whatever its labels are. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/trigger/rule/sample.h"

struct series {
    uint64_t *slots; /* 0: empty; at most half of them are full */
    size_t size, n;
};

void series_done(struct series *s);

/* Adds the sample's series: 1, or 0 if it was there. -ENOMEM. Of more than SCRAPE_SERIES_MAX, those
 * beyond are taken for new. */
int series_add(struct series *s, const struct scrape_sample *sample);
