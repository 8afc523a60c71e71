/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outcome/counters.h"

static void add(struct buf *out, bool *any, const char *head, uint64_t n, const char *name)
{
    if (n == 0)
        return;
    (void)buf_addf(out, "%s%llu %s", *any ? ", " : head, (unsigned long long)n, name);
    *any = true;
}

void counters_describe(const struct counters *c, struct buf *out)
{
    bool captures = false, inspections = false;

    for (int o = 0; o < OUTCOME_COUNT; o++)
        add(out, &captures, "captures: ", c->captures[o], outcome_name((enum outcome)o));
    if (!captures)
        (void)buf_adds(out, "no captures");
    for (int e = 0; e < INSPECTION_END_COUNT; e++)
        add(out, &inspections, "; inspections: ", c->inspections[e],
            inspection_end_name((enum inspection_end)e));
    if (c->labels_lost > 0)
        (void)buf_addf(out, ", %llu not written", (unsigned long long)c->labels_lost);
}
