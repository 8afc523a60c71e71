/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

double rule_scaled(double value, struct scale scale)
{
    double score;

    if (value < scale.there)
        score = 0.5 * value / scale.there;
    else
        score = 0.5 + 0.5 * (value - scale.there) / (scale.severe - scale.there);
    return score > 1 ? 1 : score > 0 ? score : 0;
}

double rule_least(double a, double b)
{
    return a < b ? a : b;
}

double rule_most(double a, double b)
{
    return a > b ? a : b;
}

double rule_share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

void rule_tell(struct finding *f, const char *name, double value)
{
    if (f->n_evidence < FINDING_EVIDENCE)
        f->evidence[f->n_evidence++] = (struct finding_number){name, value};
}

double rule_rate(const struct facts *a, double count)
{
    return count * 1e9 / a->window;
}

double rule_turns(const struct facts *a)
{
    return (double)a->s->scheduler.latency.count;
}

double rule_searching(const struct facts *a)
{
    const struct summary_procs *p = &a->s->procs;

    return rule_most((double)(p->running - p->executing - p->in_syscall), 0);
}

double rule_steadiness(const struct summary_growth *g)
{
    uint64_t least = g->quarters[0];

    for (size_t i = 1; i < SUMMARY_QUARTERS; i++)
        least = g->quarters[i] < least ? g->quarters[i] : least;
    return rule_share((double)least * SUMMARY_QUARTERS, (double)g->waiting);
}

static void point(struct finding *f, const struct summary_frame *at, uint64_t count, int64_t total)
{
    if (f->n_sites < FINDING_SITES && at->func[0] != '\0')
        f->sites[f->n_sites++] = (struct finding_site){*at, count, total};
}

void rule_point_at_growth(struct finding *f, const struct summary_growth *growth)
{
    if (growth->n == 0)
        return;
    point(f, &growth->list[0].at, growth->list[0].created, growth->waited);
    if (growth->waiting > 0)
        point(f, &growth->waits_at, growth->waiting, growth->waited);
}

void rule_point_at(struct finding *f, const struct summary_sites *sites, unsigned classes)
{
    for (size_t i = 0; i < sites->n && f->n_sites < FINDING_SITES; i++) {
        const struct summary_site *site = &sites->list[i];

        if ((classes & STACK_SET(site->class)) != 0)
            point(f, &site->at, site->count, site->total);
    }
}
