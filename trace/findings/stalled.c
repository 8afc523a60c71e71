/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* The share of the window in silences in which the host kept the process from running. On a machine
 * with ten runnable threads for each CPU it is up to a tenth. */
static const struct scale stalled_share = {0.25, 0.6};

/* That others catch up is a sign only beside surer ones: clients may do things together. */
static struct summary_holes holes(const struct facts *a)
{
    const struct summary_silences *s = &a->s->silences;
    struct summary_holes ret = s->missed;

    if (s->missed.count == 0 && s->kept.longest < SUMMARY_HOLE)
        return ret;
    ret.count += s->caught_up.count;
    ret.total += s->caught_up.total;
    if (s->caught_up.longest > ret.longest)
        ret.longest = s->caught_up.longest;
    return ret;
}

static double host_stalled(const struct facts *a, struct finding *f)
{
    const struct summary_silences *s = &a->s->silences;
    struct summary_holes empty = holes(a);
    double stalled = (double)s->kept.total + (double)empty.total;
    double part = stalled / a->window;
    double others = rule_waits_for_cpu_score(a, false);

    if (s->kept.count + empty.count > 0 || others < 0.5) {
        rule_tell(f, "stalled_share", part);
        rule_tell(f, "stalled_ns", stalled);
        rule_tell(f, "stalls", (double)(s->kept.count + empty.count));
        rule_tell(f, "stall_max_ns", rule_most((double)s->kept.longest, (double)empty.longest));
    }
    if (empty.count > 0)
        rule_tell(f, "missed_ns", (double)empty.total);
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
