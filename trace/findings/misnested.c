/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/notes.h"

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

static bool tell(const struct facts *a, const struct findings *list, struct finding *f)
{
    const struct summary *s = a->s;
    double count = (double)s->misnested.count;

    (void)list;
    if (count == 0)
        return false;
    f->subject = most_misnested(s);
    rule_tell(f, "ends", count);
    rule_tell(f, "ends_share", rule_share(count, (double)s->events.by_kind[GOTRACE_REGION_END]));
    rule_point_at(f, &s->misnested, STACK_ALL);
    return true;
}

const struct note note_misnested = {
    .code = "misnested-regions",
    .tell = tell,
    .always = true,
    .next = "End regions on the goroutine that began them, once, the last one first (defer "
            "region.End()): Go's own tools stop where the order is another.",
};
