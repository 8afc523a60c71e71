/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/misnested.h"

#include "trace/findings/rule.h"

/* The type of region that was ended in the wrong order most often, or NULL. */
static const char *most_misnested(const struct summary *s)
{
    const struct summary_row *most = NULL;

    for (size_t i = 0; i < s->regions.n; i++) {
        const struct summary_row *row = &s->regions.list[i];

        if (row->misnested > 0 && (!most || row->misnested > most->misnested))
            most = row;
    }
    return most ? most->name : NULL;
}

void misnested_note(const struct summary *s, struct findings *ret)
{
    struct finding *f = &ret->list[ret->n];

    if (s->misnested.count == 0)
        return;
    *f = (struct finding){
        .code = "misnested-regions",
        .subject = most_misnested(s),
        .next = "End regions on the goroutine that began them, once, the last one first (defer "
                "region.End()): Go's own tools stop where the order is another.",
    };
    rule_tell(f, "ends", (double)s->misnested.count);
    rule_tell(
        f, "ends_share",
        rule_share((double)s->misnested.count, (double)s->events.by_kind[GOTRACE_REGION_END]));
    rule_point_at(f, &s->misnested, STACK_ALL);
    ret->n++;
}
