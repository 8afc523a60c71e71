/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/artifact/artifacts.h"
#include "daemon/order/incident_state.h"

static struct incident_piece *find_piece(struct incident *i, enum kind kind)
{
    for (size_t k = 0; k < i->report.n_pieces; k++) {
        if (i->pieces[k].kind == kind)
            return &i->pieces[k];
    }
    return NULL;
}

/* Appends what the plan takes and the incident does not yet. */
static void append(struct incident *i, const struct incident_plan *plan)
{
    for (size_t k = 0; k < plan->n; k++) {
        const struct artifact *a = plan->artifacts[k];
        struct incident_piece *p = find_piece(i, a->kind);

        if (!p) {
            p = &i->pieces[i->report.n_pieces++];
            *p = (struct incident_piece){.kind = a->kind};
            incident_tag_takes(i->tag, a->kind);
            p->beside = a == plan->sampler && plan->beside;
        }
        if (a == plan->sampler)
            i->sampler = p;
    }
    i->samples = i->samples || plan->sampler;
}

/* Of one artifact, with the profile beside it if the trace is to have CPU samples. */
static bool add(struct incident *i, const struct incident_order *order, enum kind kind,
                struct incident_reply *reply)
{
    struct incident_plan plan;

    incident_plan(order->target->job, 1u << kind, i->window, i->samples || order->samples, &plan);
    if (plan.n == 0)
        return true; /* nobody knows its path: it is left out, as at the beginning */
    if (incident_is_too_long(i->all, order, &plan, reply))
        return false;
    incident_charge_more(i->all, order, &plan);
    append(i, &plan);
    reply->added |= 1u << kind;
    return true;
}

/* It will not be had any more: it has failed, and nobody else is to blame. */
static bool is_lost(const struct incident_piece *p)
{
    return p->ended && !p->key && p->outcome != OUTCOME_BUSY && p->outcome != OUTCOME_IN_USE;
}

void incident_extend(struct incident *i, const struct incident_order *order,
                     struct incident_reply *reply)
{
    const struct target_job *job = order->target->job;
    unsigned wanted = order->artifacts ? order->artifacts : job->incident_artifacts;

    for (size_t k = 0; k < n_artifacts; k++) {
        enum kind kind = artifacts[k]->kind;
        struct incident_piece *p = find_piece(i, kind);

        if (!(wanted & 1u << kind))
            continue;
        if (p && !p->ended)
            p->beside = false; /* now it is wanted for itself */
        if (p ? is_lost(p) : !add(i, order, kind, reply))
            reply->lacks |= 1u << kind;
    }
}
