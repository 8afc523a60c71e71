/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/notes.h"

/* One site sleeps so often a second, and for no longer than this on average. */
#define SLEEPS_RATE 500
#define SLEEPS_MEAN 2e6

static bool is_short(const struct facts *a, const struct summary_site *site)
{
    return rule_rate(a, (double)site->count) >= SLEEPS_RATE &&
           rule_share((double)site->total, (double)site->count) <= SLEEPS_MEAN;
}

static bool tell(const struct facts *a, const struct findings *list, struct finding *f)
{
    const struct summary_sites *sleeps = &a->s->sleeps;
    double count = 0, total = 0;

    if (notes_found(list, CODE_timers) || notes_found(list, CODE_polling))
        return false;
    for (size_t i = 0; i < sleeps->n && f->n_sites < FINDING_SITES; i++) {
        const struct summary_site *site = &sleeps->list[i];

        if (!is_short(a, site))
            continue;
        count += (double)site->count;
        total += (double)site->total;
        rule_point(f, site);
    }
    rule_tell(f, "sleeps_per_s", rule_rate(a, count));
    rule_tell(f, "sleep_mean_ns", rule_share(total, count));
    return f->n_sites > 0;
}

const struct note note_sleeps = {
    .code = "short-sleeps",
    .tell = tell,
    .next =
        "Who asks again and again whether there is something to do wakes a P each time: wait for a "
        "channel or a condition instead.",
};
