/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* New connections that fail, a second, and their share of all that are tried. An address of two
 * families of which one refuses makes half of them fail, and is no storm. */
static const struct scale retry_rate = {100, 1000};
static const struct scale retry_share = {0.7, 0.95};

static double retry_storm(const struct facts *a, struct finding *f)
{
    double failed = (double)a->s->failed_dials.count, opened = (double)a->s->dials.count;
    double rate = rule_rate(a, failed), part = rule_share(failed, failed + opened);

    rule_tell(f, "failed_per_s", rate);
    rule_tell(f, "failed_share", part);
    rule_tell(f, "failed", failed);
    rule_tell(f, "opened", opened);
    rule_point_at(f, &a->s->failed_dials, STACK_ALL);
    return rule_least(rule_scaled(rate, retry_rate), rule_scaled(part, retry_share));
}

static double retry_events(const struct facts *a)
{
    return (double)a->s->failed_dials.count;
}

const struct rule rule_retry = {
    .score = retry_storm,
    .events = retry_events,
    .least = 20,
    .next =
        "Look at who is dialled at these sites and why it refuses; wait longer after each failure, "
        "with a random part.",
};
