/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A CPU profile beside a trace, so that Go writes CPU samples into the trace. It is the one exception
 * to one request at a time for a target. The profile is a capture job of its own lane, with a place
 * of its own. It begins a little before the trace and ends a little after; the trace is published
 * when it has ended, as the record says what came of it. Nothing that happens to the profile is a
 * failure of the trace.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/artifact/artifacts.h"
#include "daemon/capture/pipeline_state.h"

#define LEAD_ACCURACY (5 * USEC_PER_MSEC)

static void note(struct capture_job *trace, enum outcome outcome, const char *why)
{
    struct pair *p = &trace->pair;

    p->samples.outcome = outcome;
    (void)snprintf(p->text, sizeof(p->text), "%s", why);
}

static int on_lead(sd_event_source *s, uint64_t now, void *userdata)
{
    struct capture_job *trace = userdata;

    (void)s;
    (void)now;
    if (trace->state == CAPTURE_JOB_LEAD)
        trace->pair.steps->send(trace);
    return 0;
}

/* Sends the trace after this time, from the event loop. */
static void send_after(struct capture_job *trace, usec wait)
{
    (void)sd_event_source_set_time_relative(trace->pair.timer, wait);
    (void)sd_event_source_set_enabled(trace->pair.timer, SD_EVENT_ONESHOT);
}

/* Orders the profile: a new job, or the one that waits already, which then need not be taken another
 * time. 0 or a negative errno. */
static int order_profile(struct capture_job *trace, struct lane **ret)
{
    const struct purpose *u = &trace->purpose;
    const struct artifact *sampler = artifacts_sampler();
    struct pipeline *p = trace->pipeline;
    usec window = purpose_window(u, trace->target->job);
    const struct pipeline_order order = {
        .reason = u->reason,
        .name = u->name,
        .window = artifact_window_beside(sampler, window),
        .incident = u->incident,
    };
    int r = target_add_lane(trace->target, sampler, ret);

    if (r >= 0)
        r = sd_event_add_time(p->event, &trace->pair.timer, CLOCK_BOOTTIME, USEC_NEVER,
                              LEAD_ACCURACY, on_lead, trace);
    if (r >= 0) /* last, for it cannot be taken back */
        r = pipeline_capture(p, *ret, &order, NULL);
    return r < 0 ? r : 0;
}

static void note_unordered(struct capture_job *trace, int r)
{
    if (r == -ENOENT)
        note(trace, OUTCOME_MISSING, "it is not known where the service has its CPU profile");
    else if (r == -ESHUTDOWN)
        note(trace, OUTCOME_CANCELLED, "contraced is stopping");
    else
        note(trace, OUTCOME_RESOURCES, strerror(-r));
}

bool pair_begin(struct capture_job *trace, const struct pair_steps *steps)
{
    struct capture_job *profile;
    struct lane *l;
    int r;

    if (!trace->purpose.samples || !trace->lane->artifact->sampled)
        return false;
    trace->pair.begun = true;
    trace->pair.steps = steps;
    trace->pair.samples =
        (struct pipeline_samples){.sampled = PIPELINE_UNSAMPLED, .text = trace->pair.text};
    r = order_profile(trace, &l);
    if (r < 0) {
        note_unordered(trace, r);
        return false;
    }
    profile = l->capture_job;
    trace->state = CAPTURE_JOB_LEAD;
    trace->pair.profile = profile;
    profile->pair.trace = trace;
    queue_pull(profile);
    steps->start(profile);
    return true;
}

void pair_connected(struct capture_job *c)
{
    struct capture_job *trace = c->pair.trace;

    if (trace && trace->state == CAPTURE_JOB_LEAD)
        send_after(trace, ARTIFACT_LEAD);
}

/* From the answer to the profile's request. */
static enum pipeline_sampled judge(const struct capture_job *profile,
                                   const struct capture_job *trace)
{
    enum outcome outcome = profile->result.outcome;
    bool answered = profile->result.received > 0 && outcome != profile->lane->artifact->foreign;

    if (trace->sent == 0)
        return PIPELINE_UNSAMPLED; /* it had ended before the trace began */
    if (outcome_published(outcome) || answered)
        return PIPELINE_SAMPLED;
    return outcome == OUTCOME_TIMEOUT || outcome == OUTCOME_CLOSED || outcome == OUTCOME_CANCELLED
             ? PIPELINE_SAMPLED_MAYBE
             : PIPELINE_UNSAMPLED;
}

/* The judgement is made before the profile is published, which may fail. */
void pair_captured(struct capture_job *c)
{
    if (c->pair.trace)
        c->pair.trace->pair.samples.sampled = judge(c, c->pair.trace);
}

/* The profile has ended. */
static void release(struct capture_job *trace, const struct capture_job *profile, const char *key)
{
    trace->pair.profile = NULL;
    note(trace, profile->result.outcome, profile->result.text);
    if (key) {
        (void)snprintf(trace->pair.key, sizeof(trace->pair.key), "%s", key);
        trace->pair.samples.key = trace->pair.key;
    }
    if (trace->state == CAPTURE_JOB_LEAD)
        send_after(trace, 0);
    else
        trace->pair.steps->advance(trace);
}

void pair_ended(struct capture_job *c, const char *key)
{
    if (c->pair.profile) /* a trace that could not be sent: the profile goes on alone */
        c->pair.profile->pair.trace = NULL;
    if (c->pair.trace)
        release(c->pair.trace, c, key);
}

void pair_done(struct capture_job *c)
{
    (void)sd_event_source_disable_unref(c->pair.timer);
}
