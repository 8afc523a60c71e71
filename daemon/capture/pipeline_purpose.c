/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/capture/pipeline_state.h"

void purpose_done(struct purpose *u)
{
    struct pipeline_waiter *next;

    for (struct pipeline_waiter *w = u->waiters; w; w = next) {
        next = w->next;
        free(w);
    }
    free(u->name);
    incident_tag_unref(u->incident);
}

int purpose_join(struct purpose *u, const struct pipeline_order *order,
                 struct pipeline_waiter **ret)
{
    bool takes = u->reason == REASON_SCHEDULE && order->reason != REASON_SCHEDULE;
    char *name = takes && order->name ? strdup(order->name) : NULL;
    struct pipeline_waiter *w = order->fn ? malloc(sizeof(*w)) : NULL;

    if ((takes && order->name && !name) || (order->fn && !w)) {
        free(name);
        free(w);
        return -ENOMEM;
    }
    if (takes) {
        u->reason = order->reason;
        u->name = name;
        u->due = order->due;
    }
    u->whole = u->whole || order->window == 0;
    u->samples = u->samples || order->samples;
    if (order->window > u->window)
        u->window = order->window;
    /* A target has one incident at a time, so a purpose has that of its first such order. */
    if (!u->incident)
        u->incident = incident_tag_ref(order->incident);
    if (w) {
        *w = (struct pipeline_waiter){u->waiters, order->fn, order->userdata};
        u->waiters = w;
    }
    if (ret)
        *ret = w;
    return 0;
}

usec purpose_window(const struct purpose *u, const struct target_job *job)
{
    return u->whole && job->window > u->window ? job->window : u->window;
}

void purpose_tell(const struct purpose *u, const struct pipeline_end *end)
{
    for (struct pipeline_waiter *w = u->waiters; w; w = w->next)
        if (w->fn)
            w->fn(w->userdata, end);
}
