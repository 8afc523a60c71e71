/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

#include <string.h>

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

/* The finding's site at the same place, so that what goes on and what is over is told as one. */
static const struct finding_site *same_place(const struct finding *f,
                                             const struct finding_site *site)
{
    for (size_t i = 0; i < f->n_sites; i++) {
        const struct finding_site *other = &f->sites[i];

        if (other->at.line == site->at.line && strcmp(other->at.func, site->at.func) == 0 &&
            other->own.at.line == site->own.at.line)
            return other;
    }
    return NULL;
}

/* Takes a site out of the list. */
static void drop(struct finding *f, const struct finding_site *site)
{
    size_t at = (size_t)(site - f->sites);

    f->n_sites--;
    memmove(&f->sites[at], &f->sites[at + 1], (f->n_sites - at) * sizeof(*site));
}

/* Adds a site to those with the largest totals, which are sorted. */
static void insert(struct finding *f, struct finding_site site)
{
    const struct finding_site *same = same_place(f, &site);
    size_t at;

    if (same) {
        site.count += same->count;
        site.total += same->total;
        site.open += same->open;
        drop(f, same);
    }
    at = f->n_sites;
    while (at > 0 && f->sites[at - 1].total < site.total)
        at--;
    if (at == FINDING_SITES)
        return;
    if (f->n_sites < FINDING_SITES)
        f->n_sites++;
    memmove(&f->sites[at + 1], &f->sites[at], (f->n_sites - at - 1) * sizeof(site));
    f->sites[at] = site;
}

void rule_point(struct finding *f, const struct summary_site *site)
{
    struct summary_tally all = summary_site_all(site);

    insert(f, (struct finding_site){.at = site->at,
                                    .count = all.count,
                                    .total = all.total,
                                    .own = site->own,
                                    .open = site->open.count});
}

void rule_point_longest(struct finding *f, const struct summary_longest *longest)
{
    if (longest->at.func != NULL && longest->at.func[0] != '\0')
        insert(f, (struct finding_site){.at = longest->at,
                                        .count = 1,
                                        .total = longest->duration,
                                        .own = longest->own,
                                        .open = longest->open});
}

void rule_point_at_growth(struct finding *f, const struct summary_growth *growth)
{
    if (growth->n == 0)
        return;
    insert(f, (struct finding_site){.at = growth->list[0].at,
                                    .count = growth->list[0].created,
                                    .total = growth->waited});
    if (growth->waiting > 0 && growth->waits_at.func[0] != '\0')
        insert(f, (struct finding_site){
                      .at = growth->waits_at, .count = growth->waiting, .total = growth->waited});
}

void rule_point_at(struct finding *f, const struct summary_sites *sites, unsigned classes)
{
    for (size_t i = 0; i < sites->n; i++) {
        const struct summary_site *site = &sites->list[i];

        if ((classes & STACK_SET(site->class)) != 0 && site->at.func[0] != '\0')
            rule_point(f, site);
    }
}

void rule_point_at_open(struct finding *f, const struct summary_sites *open, unsigned classes)
{
    for (size_t i = 0; i < open->n; i++) {
        const struct summary_site *site = &open->list[i];

        if ((classes & STACK_SET(site->class)) != 0 && site->at.func[0] != '\0')
            insert(f, (struct finding_site){.at = site->at,
                                            .count = site->count,
                                            .total = site->total,
                                            .own = site->own,
                                            .open = site->count});
    }
}
