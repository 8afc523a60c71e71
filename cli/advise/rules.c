/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/advise/rules.h"

#include <stdlib.h>

static const struct advisor *const rules[RULES] = {
    &advice_quota, &advice_procs, &advice_collector, &advice_lock, &advice_pool, &advice_goroutines,
};

static int rank(const struct advice *a)
{
    return a->verdict == VERDICT_CHANGE ? 0 : a->verdict == VERDICT_KEEP ? 1 : 2;
}

static bool comes_before(const struct advice *a, const struct advice *b)
{
    return rank(a) != rank(b) ? rank(a) < rank(b) : a->weight > b->weight;
}

void rules_judge(const struct samples *s, struct advice ret[static RULES])
{
    for (size_t i = 0; i < RULES; i++) {
        struct advice a = {.rule = rules[i]->name, .about = rules[i]->about};
        size_t at = i;

        rules[i]->judge(s, &a);
        for (; at > 0 && comes_before(&a, &ret[at - 1]); at--)
            ret[at] = ret[at - 1];
        ret[at] = a;
    }
}
