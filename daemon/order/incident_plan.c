/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/artifact/artifacts.h"
#include "daemon/order/incident_state.h"

/* Sorted by turn; of the same turn, in the order of the table. */
static void insert(struct incident_plan *plan, const struct artifact *a)
{
    size_t i = plan->n++;

    for (; i > 0 && plan->artifacts[i - 1]->turn > a->turn; i--)
        plan->artifacts[i] = plan->artifacts[i - 1];
    plan->artifacts[i] = a;
}

void incident_plan(const struct target_job *job, unsigned wanted, usec window,
                   struct incident_plan *ret)
{
    struct incident_plan plan = {0};

    if (wanted == 0)
        wanted = job->incident_artifacts;
    if (window == 0)
        window = job->window;
    for (size_t i = 0; i < n_artifacts; i++) {
        const struct artifact *a = artifacts[i];
        usec lasts = target_window(job, a, window);

        if (!(wanted & 1u << a->kind) || !job->paths[a->kind])
            continue;
        insert(&plan, a);
        if (a->costly)
            plan.traced += lasts;
        plan.cost += a->costly && lasts > 0 ? lasts : PIPELINE_SNAPSHOT_COST;
    }
    *ret = plan;
}
