/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* The share of the window in silences in which the host kept the process from running. On a machine
 * with ten runnable threads for each CPU it is up to a tenth. */
static const struct scale stalled_share = {0.25, 0.6};

static double host_stalled(const struct facts *a, struct finding *f)
{
    const struct summary_silences *s = &a->s->silences;
    double part = (double)s->kept.total / a->window;
    double others = rule_waits_for_cpu_score(a, false);

    if (s->kept.count > 0 || others < 0.5) {
        rule_tell(f, "stalled_share", part);
        rule_tell(f, "stalled_ns", (double)s->kept.total);
        rule_tell(f, "stalls", (double)s->kept.count);
        rule_tell(f, "stall_max_ns", (double)s->kept.longest);
    }
    rule_tell_waits_for_cpu(a, f);
    f->lost = (double)s->goroutines;
    if (others >= 0.5)
        f->lost = rule_most(f->lost, (double)a->context->run_wait);
    return rule_throttled_score(a) >= 0.5 ? 0 : rule_most(rule_scaled(part, stalled_share), others);
}

const struct rule rule_stalled = {
    .score = host_stalled,
    .next =
        "Look at the host at this time: other processes on its CPUs, steal, pauses and snapshots of "
        "the virtual machine, memory reclaim, a freezer, SIGSTOP.",
};
