/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/pattern.h"

double pattern_scaled(double value, struct pattern_scale scale)
{
    double score;

    if (!(value > 0))
        return 0;
    if (value < scale.there)
        return 0.5 * value / scale.there;
    score = 0.5 + 0.5 * (value - scale.there) / (scale.severe - scale.there);
    return score < 1 ? score : 1;
}

double pattern_share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

void pattern_tell(struct pattern *p, const char *name, double value)
{
    if (p->n_numbers < PATTERN_NUMBERS)
        p->numbers[p->n_numbers++] = (struct pattern_number){name, value};
}

void pattern_prove(struct pattern *p, uint64_t line, const char *text)
{
    if (p->n_proofs < PATTERN_PROOFS && text[0])
        p->proofs[p->n_proofs++] = (struct pattern_proof){line, text};
}

void pattern_prove_by(struct pattern *p, const struct snapshot *s)
{
    pattern_prove(p, s->line, s->text);
}
