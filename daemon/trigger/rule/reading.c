/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int reading_init(struct reading *r, const struct trigger_config *rule)
{
    *r = (struct reading){.rule = rule};
    if (rule->measure != TRIGGER_HISTOGRAM)
        return 0;
    r->buckets = buckets_new(rule->bound);
    return r->buckets ? 0 : -ENOMEM;
}

void reading_done(struct reading *r)
{
    free(r->buckets);
    r->buckets = NULL;
}

static const char *label_of(const struct scrape_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->n_labels; i++) {
        if (strcmp(sample->labels[i].name, name) == 0)
            return sample->labels[i].value;
    }
    return NULL;
}

/* A label that a series does not have is empty, as in Prometheus. */
static bool matches(const struct trigger_config *rule, const struct scrape_sample *sample)
{
    for (size_t i = 0; i < rule->n_match; i++) {
        const char *value = label_of(sample, rule->match[i].name);

        if (strcmp(value ? value : "", rule->match[i].value) != 0)
            return false;
    }
    return true;
}

/* False: the sample is no bucket. */
static bool add_bucket(struct buckets *b, const struct scrape_sample *sample)
{
    const char *le = label_of(sample, "le"), *range = label_of(sample, "vmrange");

    if (le)
        return buckets_add_le(b, le, sample->value);
    return range && buckets_add_range(b, range, sample->value);
}

void reading_add(struct reading *r, enum reading_role role, const struct scrape_sample *sample)
{
    struct reading_sum *sum = &r->sum[role == READING_SECOND];

    if (role == READING_BASE)
        r->bare = sample->type;
    if (!matches(r->rule, sample))
        return;
    r->native = r->native || sample->native;
    if (role == READING_BUCKET) {
        sum->series += add_bucket(r->buckets, sample);
    } else if (role == READING_COUNT) {
        buckets_add_total(r->buckets, sample->value);
    } else if (role != READING_BASE && !sample->native) {
        sum->series++;
        sum->value += sample->value;
    }
    if (role != READING_BASE && role != READING_COUNT)
        sum->type = sample->type;
}

bool reading_seen(const struct reading *r)
{
    if (r->native)
        return false;
    return r->sum[0].series > 0 && (r->rule->measure != TRIGGER_RATIO || r->sum[1].series > 0);
}
