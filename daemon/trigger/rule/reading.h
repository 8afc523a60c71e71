/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What one poll told about one rule: the sum of the series that match. It is filled sample by
 * sample and lives as long as the poll.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/trigger/rule/buckets.h"
#include "daemon/trigger/rule/scrape.h"
#include "lib/config/data.h"

/* Which metric of the rule a name is. */
enum reading_role {
    READING_FIRST,  /* the gauge, the counter, the ratio's numerator */
    READING_SECOND, /* the ratio's denominator */
    READING_BUCKET, /* `_bucket` of the histogram */
    READING_COUNT,  /* `_count` of it */
    READING_BASE,   /* its bare name, which only a native histogram has as text */
};

struct reading_sum {
    unsigned series; /* that matched */
    double value;    /* their sum; NaN if one of them is no number */
    enum scrape_type type;
};

struct reading {
    const struct trigger_config *rule;
    bool native;               /* a native histogram came */
    enum scrape_type bare;     /* of a histogram's bare name, which only other types have as text */
    struct reading_sum sum[2]; /* of READING_FIRST and READING_SECOND */
    struct buckets *buckets;   /* NULL, unless the rule is about a histogram */
};

/* The rule is borrowed. 0 or -ENOMEM. */
int reading_init(struct reading *r, const struct trigger_config *rule);
void reading_done(struct reading *r);

/* Adds a sample, if its labels match the rule's. */
void reading_add(struct reading *r, enum reading_role role, const struct scrape_sample *sample);

/* Whether everything that the rule names was there. */
bool reading_seen(const struct reading *r);
