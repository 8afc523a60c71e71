/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/notes.h"

/* There are this many more goroutines at the end, by this share of those at the start, and at least
 * half of them wait at one site, and were created in all quarters of the window, not all at once. */
#define GROWTH_MIN 1000
#define GROWTH_SHARE 0.1
#define GROWTH_STEADY 0.25

static bool tell(const struct facts *a, const struct findings *list, struct finding *f)
{
    const struct summary_goroutines *all = &a->s->goroutines;
    const struct summary_growth *g = &a->s->growth;
    double growth = (double)all->at_end - (double)all->at_start;

    if (g->n == 0 || growth < GROWTH_MIN || growth < GROWTH_SHARE * (double)all->at_start ||
        2 * (double)g->waiting < growth || rule_steadiness(g) < GROWTH_STEADY ||
        notes_found(list, CODE_leak))
        return false;
    rule_tell(f, "goroutines_at_start", (double)all->at_start);
    rule_tell(f, "goroutines_at_end", (double)all->at_end);
    rule_tell(f, "created", (double)g->list[0].created);
    rule_tell(f, "ended", (double)g->list[0].ended);
    rule_tell(f, "waiting", (double)g->waiting);
    rule_point_at_growth(f, g);
    return true;
}

const struct note note_growth = {
    .code = "goroutine-growth",
    .tell = tell,
    .next = "The first site started most of the goroutines that are left, the second is where they "
            "wait. One trace does not tell whether they will end: look at the next one.",
};
