/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/notes.h"

#define DIALS_RATE 50 /* TCP connections a second that this process opens */
#define DIALS_LEAST 20

static bool tell(const struct facts *a, const struct findings *list, struct finding *f)
{
    double count = (double)a->s->dials.count;

    (void)list;
    if (count < DIALS_LEAST || rule_rate(a, count) < DIALS_RATE)
        return false;
    rule_tell(f, "dials_per_s", rule_rate(a, count));
    rule_tell(f, "dials", count);
    rule_tell(f, "failed", (double)a->s->failed_dials.count);
    rule_point_at(f, &a->s->dials, STACK_ALL);
    return true;
}

const struct note note_dials = {
    .code = "new-connections",
    .tell = tell,
    .next =
        "A connection for each request costs a round trip or more, and a port: read bodies to their "
        "end, and raise MaxIdleConnsPerHost or the pool's idle connections.",
};
