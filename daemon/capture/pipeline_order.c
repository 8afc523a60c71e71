/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Takes orders: each becomes a capture job of its lane, joins one that is there, or is skipped.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/loop.h"
#include "daemon/artifact/artifacts.h"
#include "daemon/capture/pipeline_state.h"

/* Counts a capture that was never begun. */
static void count(struct pipeline *p, const struct lane *l, enum outcome outcome)
{
    meters_captured(p->meters, l->target->job->name,
                    &(struct meters_capture){.kind = l->artifact->kind, .outcome = outcome});
}

static int join_waiting(struct capture_job *c, const struct pipeline_order *order,
                        struct pipeline_waiter **ret)
{
    int r = purpose_join(&c->purpose, order, ret);

    queue_raise(c);
    return r;
}

/* Handles an order for a lane whose capture is under way or waits. */
static int join(struct capture_job *c, const struct pipeline_order *order,
                struct pipeline_waiter **ret)
{
    int r;

    /* A failing target waits long for its share of the places, so this is no sign of overload and
     * is not counted. */
    if (order->reason == REASON_SCHEDULE && c->state == CAPTURE_JOB_WAITING && c->turn == TURN_ILL)
        return 0;
    if (order->reason == REASON_SCHEDULE ||
        (order->reason == REASON_SIGNAL && c->purpose.reason == REASON_SIGNAL)) {
        count(c->pipeline, c->lane, OUTCOME_SKIPPED);
        pipeline_report_late(c->pipeline, c);
        return 0;
    }
    if (c->state == CAPTURE_JOB_WAITING)
        return join_waiting(c, order, ret);
    r = purpose_join(&c->after, order, ret);
    c->again = c->again || r == 0;
    return r;
}

int pipeline_capture(struct pipeline *p, struct lane *l, const struct pipeline_order *order,
                     struct pipeline_waiter **ret)
{
    struct capture_job *c = l->capture_job;
    int r;

    if (ret)
        *ret = NULL;
    if (p->drained)
        return -ESHUTDOWN;
    if (c) {
        r = join(c, order, ret);
    } else {
        c = calloc(1, sizeof(*c));
        r = c ? purpose_join(&c->purpose, order, ret) : -ENOMEM;
        if (r == 0) {
            c->pipeline = p;
            c->purpose.due = order->due;
            c->target = target_ref(l->target);
            c->lane = l;
            c->since = loop_now(p->event, CLOCK_BOOTTIME);
            l->capture_job = c;
            queue_add(c);
            queue_wake(p);
            return 0;
        }
        free(c);
    }
    if (r < 0) {
        log_error("not enough memory to capture %s", target_shown(l));
        count(p, l, OUTCOME_RESOURCES);
    }
    return r;
}

usec pipeline_adds(const struct lane *l, usec window)
{
    const struct capture_job *c = l->capture_job;
    const struct target_job *job = l->target->job;
    usec anyway = 0;

    if (c)
        anyway = purpose_window(c->state == CAPTURE_JOB_WAITING ? &c->purpose : &c->after, job);
    if (anyway > 0)
        anyway = target_window(job, l->artifact, anyway);
    window = target_window(job, l->artifact, window > 0 ? window : job->window);
    if (window == 0)
        return c && (c->state == CAPTURE_JOB_WAITING || c->again) ? 0 : PIPELINE_SNAPSHOT_COST;
    return window > anyway ? window - anyway : 0;
}

usec pipeline_adds_samples(const struct lane *l, usec window)
{
    const struct capture_job *c = l->capture_job;
    const struct target_job *job = l->target->job;
    const struct artifact *sampler = artifacts_sampler();
    const struct purpose *u = !c ? NULL : c->state == CAPTURE_JOB_WAITING ? &c->purpose : &c->after;
    usec anyway = u ? purpose_window(u, job) : 0;

    if (window == 0)
        window = job->window;
    if (!l->artifact->sampled || !job->paths[sampler->kind])
        return 0;
    window = artifact_window_beside(sampler, window > anyway ? window : anyway);
    if (!u || !u->samples)
        return window;
    anyway = artifact_window_beside(sampler, anyway);
    return window > anyway ? window - anyway : 0;
}
