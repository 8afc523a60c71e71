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

/* Whether something of the plan can have CPU samples. */
static bool has_sampled(const struct target_job *job, unsigned wanted)
{
    for (size_t i = 0; i < n_artifacts; i++) {
        const struct artifact *a = artifacts[i];

        if (a->sampled && wanted & 1u << a->kind && job->paths[a->kind])
            return true;
    }
    return false;
}

void incident_plan(const struct target_job *job, unsigned wanted, usec window, bool samples,
                   struct incident_plan *ret)
{
    const struct artifact *sampler = artifacts_sampler();
    struct incident_plan plan = {0};

    if (wanted == 0)
        wanted = job->incident_artifacts;
    if (window == 0)
        window = job->window;
    if (samples && has_sampled(job, wanted) && job->paths[sampler->kind]) {
        plan.sampler = sampler;
        plan.beside = !(wanted & 1u << sampler->kind);
        wanted |= 1u << sampler->kind;
    }
    for (size_t i = 0; i < n_artifacts; i++) {
        const struct artifact *a = artifacts[i];
        usec lasts =
            a == plan.sampler ? artifact_window_beside(a, window) : target_window(job, a, window);

        if (!(wanted & 1u << a->kind) || !job->paths[a->kind])
            continue;
        insert(&plan, a);
        if (a->costly)
            plan.traced += lasts;
        plan.cost += a->costly && lasts > 0 ? lasts : PIPELINE_SNAPSHOT_COST;
    }
    *ret = plan;
}
