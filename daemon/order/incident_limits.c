/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "base/loop.h"
#include "daemon/order/allowance.h"
#include "daemon/order/incident_state.h"

/* When to ask again while CPUs are short: nobody knows how long that lasts. */
#define PRESSURE_RETRY (30 * USEC_PER_SEC)

/* The bounds of an incident that takes so much; `counted`: it is a further one. */
static bool is_limited(struct incidents *is, const struct incident_order *order,
                       const struct incident_plan *plan, bool counted, struct incident_reply *reply)
{
    static const enum incident_limit limits[] = {
        [BUDGET_OF_ALL] = INCIDENT_LIMIT_ALL,
        [BUDGET_OF_TARGET] = INCIDENT_LIMIT_TARGET,
        [BUDGET_TRACED] = INCIDENT_LIMIT_TRACED,
    };
    const struct target *t = order->target;
    const struct budget_limits bounds = {counted ? is->limits.max_per_hour : UINT_MAX,
                                         counted ? is->limits.max_per_target_per_hour : UINT_MAX,
                                         is->limits.max_traced};
    double ceiling = is->limits.cpu_pressure_ceiling;
    enum budget_answer answer;

    if (order->reason == REASON_SIGNAL)
        return false;
    answer = budget_ask(&is->budget, &bounds, allowance_id(t->job->name, t->address), plan->traced,
                        loop_now(is->event, CLOCK_BOOTTIME), &reply->retry_after);
    if (answer != BUDGET_FREE) {
        reply->limit = limits[answer];
        return true;
    }
    reply->retry_after = desk_wait(is->desk, t, order->reason, plan->cost);
    reply->limit = INCIDENT_LIMIT_ALLOWANCE;
    if (reply->retry_after > 0)
        return true;
    reply->retry_after = PRESSURE_RETRY;
    reply->limit = INCIDENT_LIMIT_PRESSURE;
    return ceiling > 0 && is->pressure && is->pressure(is->userdata) >= ceiling;
}

bool incident_is_limited(struct incidents *is, const struct incident_order *order,
                         const struct incident_plan *plan, struct incident_reply *reply)
{
    return is_limited(is, order, plan, true, reply);
}

bool incident_is_too_long(struct incidents *is, const struct incident_order *order,
                          const struct incident_plan *plan, struct incident_reply *reply)
{
    struct incident_reply limited = {0};

    if (!is_limited(is, order, plan, false, &limited))
        return false;
    reply->limit = limited.limit;
    reply->retry_after = limited.retry_after;
    return true;
}

void incident_charge(struct incidents *is, const struct incident_order *order,
                     const struct incident_plan *plan)
{
    const struct target *t = order->target;

    if (order->reason == REASON_SIGNAL)
        return;
    (void)budget_take(&is->budget, allowance_id(t->job->name, t->address), plan->traced,
                      loop_now(is->event, CLOCK_BOOTTIME));
    desk_charge(is->desk, t, order->reason, plan->cost);
}

void incident_charge_more(struct incidents *is, const struct incident_order *order,
                          const struct incident_plan *plan)
{
    const struct target *t = order->target;

    if (order->reason == REASON_SIGNAL)
        return;
    budget_lengthen(&is->budget, allowance_id(t->job->name, t->address), plan->traced);
    desk_charge(is->desk, t, order->reason, plan->cost);
}

size_t incidents_room(const struct incidents *is, size_t *ret_all)
{
    size_t taken = budget_taken(&is->budget, loop_now(is->event, CLOCK_BOOTTIME));

    *ret_all = is->limits.max_per_hour;
    return taken < *ret_all ? *ret_all - taken : 0;
}
