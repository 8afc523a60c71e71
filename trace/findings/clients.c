/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/notes.h"

#define CLIENTS_MEAN 10 /* requests that wait for their clients at any time */

static bool tell(const struct facts *a, const struct findings *list, struct finding *f)
{
    const struct summary_class *waits = &a->s->classes.network[STACK_CLIENT];
    double total = (double)waits->total;

    (void)list;
    if (total / a->window < CLIENTS_MEAN)
        return false;
    rule_tell(f, "clients_mean", total / a->window);
    rule_tell(f, "wait_mean_ns", rule_share(total, (double)waits->count));
    rule_point_at(f, &a->s->delays[SUMMARY_NET], STACK_SET(STACK_CLIENT));
    return true;
}

const struct note note_clients = {
    .code = "slow-clients",
    .tell = tell,
    .next = "These requests wait until their clients send more of the body or take more of the "
            "answer. If they keep something meanwhile, such as a lock or a connection, bound the "
            "time: ReadTimeout, WriteTimeout, http.ResponseController.",
};
