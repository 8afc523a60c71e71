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

/* The finding's site at the same place, so that what goes on and what is over is told as one. */
static struct finding_site *same_place(struct finding *f, const struct summary_frame *at)
{
    for (size_t i = 0; i < f->n_sites; i++) {
        struct finding_site *site = &f->sites[i];

        if (site->at.line == at->line && strcmp(site->at.func, at->func) == 0)
            return site;
    }
    return NULL;
}

void rule_point_at(struct finding *f, const struct summary_sites *sites, unsigned classes)
{
    for (size_t i = 0; i < sites->n && f->n_sites < FINDING_SITES; i++) {
        const struct summary_site *site = &sites->list[i];
        struct finding_site *to;

        if ((classes & STACK_SET(site->class)) == 0 || site->at.func[0] == '\0')
            continue;
        to = same_place(f, &site->at);
        if (!to) {
            to = &f->sites[f->n_sites++];
            *to = (struct finding_site){.at = site->at};
        }
        to->count += site->count;
        to->total += site->total;
    }
}
