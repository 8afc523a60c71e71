/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/patterns.h"

#include <string.h>

#include "trace/schedtrace/rules.h"

/* Of two with the same score the one that stands first is told first: causes before consequences. */
static const struct pattern_rule *const rules[PATTERNS_N] = {
    &stuckp_rule, &gcstall_rule, &incalls_rule, &netpoll_rule, &starved_rule,
};

/* Only this one can be told from the collector's lines alone. */
static bool enough(const struct process *p, const struct pattern_rule *rule)
{
    return p->n >= PATTERN_SNAPSHOTS || (rule == &gcstall_rule && p->any_gc);
}

static void insert(struct patterns *ps, size_t n, const struct pattern *p)
{
    size_t at = n;

    while (at > 0 && ps->list[at - 1].score < p->score)
        at--;
    (void)memmove(&ps->list[at + 1], &ps->list[at], (n - at) * sizeof(*p));
    ps->list[at] = *p;
}

void patterns_look(const struct process *p, struct patterns *ret)
{
    ret->found = 0;
    ret->too_few = p->n < PATTERN_SNAPSHOTS && !p->any_gc;
    for (size_t i = 0; i < PATTERNS_N; i++) {
        struct pattern one = {.code = rules[i]->code,
                              .rank = (unsigned)i,
                              .limits = rules[i]->limits,
                              .next = rules[i]->next};

        if (enough(p, rules[i]))
            rules[i]->look(p, &one);
        else
            one.lacking = "more snapshots: schedtrace=1000";
        ret->found += one.score >= 0.5;
        insert(ret, i, &one);
    }
}
