/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/order/desk.h"

#include <errno.h>
#include <stdlib.h>

#include "base/loop.h"
#include "daemon/order/allowance.h"

struct desk {
    sd_event *event;
    struct pipeline *pipeline;
    struct allowance allowance;
};

/* Which reasons are charged to the allowance. */
static const bool charged[] = {
    [REASON_SCHEDULE] = false, [REASON_SIGNAL] = false, [REASON_API] = true,
    [REASON_ALERT] = true,     [REASON_TRIGGER] = true,
};

int desk_new(sd_event *event, struct pipeline *pipeline, struct desk **ret)
{
    struct desk *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    d->event = event;
    d->pipeline = pipeline;
    allowance_init(&d->allowance);
    *ret = d;
    return 0;
}

void desk_free(struct desk *d)
{
    if (!d)
        return;
    allowance_done(&d->allowance);
    free(d);
}

struct desk_reply desk_due(struct desk *d, struct lane *l, const struct pipeline_order *order)
{
    struct desk_reply reply = {.answer = DESK_TAKEN, .lane = l};
    int r = pipeline_capture(d->pipeline, l, order, &reply.waiter);

    if (r == -ESHUTDOWN)
        reply.answer = DESK_STOPPING;
    else if (r < 0)
        reply.answer = DESK_NO_MEMORY;
    return reply;
}

usec desk_wait(struct desk *d, const struct target *t, enum reason reason, usec cost)
{
    uint64_t id = allowance_id(t->job->name, t->address);

    if (!charged[reason] || cost == 0)
        return 0;
    return allowance_wait(&d->allowance, id, cost, loop_now(d->event, CLOCK_BOOTTIME));
}

void desk_charge(struct desk *d, const struct target *t, enum reason reason, usec cost)
{
    uint64_t id = allowance_id(t->job->name, t->address);

    if (charged[reason] && cost > 0)
        (void)allowance_take(&d->allowance, id, cost, loop_now(d->event, CLOCK_BOOTTIME));
}

struct desk_reply desk_order(struct desk *d, struct lane *l, const struct pipeline_order *order)
{
    usec adds = charged[order->reason] ? pipeline_adds(l, order->window) : 0;
    usec samples =
        charged[order->reason] && order->samples ? pipeline_adds_samples(l, order->window) : 0;
    usec wait = desk_wait(d, l->target, order->reason, adds + samples);
    struct desk_reply reply;

    if (wait > 0)
        return (struct desk_reply){.answer = DESK_LIMITED, .lane = l, .retry_after = wait};
    reply = desk_due(d, l, order);
    if (reply.answer == DESK_TAKEN)
        desk_charge(d, l->target, order->reason, adds + samples);
    return reply;
}
