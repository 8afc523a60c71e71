/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/pipeline.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "daemon/capture/pipeline_state.h"

/* Room reserved at least, as for a first capture, whose size is unknown. */
#define FIRST_ROOM (1u << 20)

#define TARGET_GONE "the target is no longer configured"

static void capture_job_free(struct capture_job *c)
{
    purpose_done(&c->purpose);
    purpose_done(&c->after);
    target_job_unref(c->job);
    look_done(c);
    pair_done(c);
    free(c);
}

/* Starts the capture that was asked for while this one was under way, or ends it as cancelled. */
static void begin_after(struct capture_job *c, const struct pipeline_end *end)
{
    struct pipeline *p = c->pipeline;
    struct target *t = c->target;
    struct capture_job *after = NULL;

    if (!c->again)
        return;
    if (!p->drained && !t->gone)
        after = calloc(1, sizeof(*after));
    if (!after) {
        struct pipeline_end cancelled = *end;

        cancelled.outcome = OUTCOME_CANCELLED;
        cancelled.key = NULL;
        cancelled.text = p->drained ? "contraced is stopping"
                       : t->gone    ? TARGET_GONE
                                    : "not enough memory";
        purpose_tell(&c->after, &cancelled);
        return;
    }
    *after = (struct capture_job){
        .pipeline = p, .target = target_ref(t), .lane = c->lane, .purpose = c->after};
    c->after = (struct purpose){0};
    c->lane->capture_job = after;
    after->since = end->ended;
    queue_add(after);
}

/* Since when it waited for nothing but a place; 0: the wait says nothing about load. So it is of a
 * failing target, which waits for its share of the places; and while another capture of its target
 * was under way. */
static usec due_for_a_place(const struct capture_job *c)
{
    usec due = c->turn == TURN_ILL ? 0 : c->purpose.due;

    return due > 0 && due < c->unparked ? c->unparked : due;
}

static void capture_job_end(struct capture_job *c, const char *key)
{
    struct pipeline *p = c->pipeline;
    struct target *t = c->target;
    struct lane *l = c->lane;
    struct pipeline_end end = {
        .target = t,
        .lane = l,
        .reason = c->purpose.reason,
        .name = c->purpose.name,
        .outcome = c->result.outcome,
        .text = c->result.text,
        .hint = c->result.hint,
        .key = key,
        .start = c->start,
        .due = c->purpose.due,
        .sent = c->sent,
        .window = c->window,
        .bytes = key ? c->result.bytes : 0,
        .incident = c->purpose.incident != NULL,
        .samples = pipeline_samples(c),
    };

    end.ended = loop_now(p->event, CLOCK_BOOTTIME);
    spool_file_discard(c->file);
    queue_leave(c);
    meters_captured(p->meters, t->job->name,
                    &(struct meters_capture){
                        .kind = l->artifact->kind,
                        .outcome = end.outcome,
                        .bytes = end.bytes,
                        .start = key ? end.start : 0,
                        .due = due_for_a_place(c),
                        .sent = end.sent,
                        .ended = end.ended,
                    });
    if (key)
        l->last.bytes = end.bytes;
    if (end.sent > 0)
        l->last_took = end.ended - end.sent;
    pipeline_report(p, c, key);
    pipeline_report_in_time(p, c);
    l->capture_job = NULL;
    queue_unpark(p, t); /* these have waited longer than what follows this one */
    begin_after(c, &end);
    queue_wake(p);
    p->fn(p->userdata, &end);
    purpose_tell(&c->purpose, &end);
    pair_ended(c, key);
    capture_job_free(c);
    target_unref(t);
}

static void capture_job_fail(struct capture_job *c, enum outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void capture_job_fail(struct capture_job *c, enum outcome outcome, const char *fmt, ...)
{
    va_list ap;

    c->result.outcome = outcome;
    va_start(ap, fmt);
    (void)vsnprintf(c->result.text, sizeof(c->result.text), fmt, ap);
    va_end(ap);
    capture_job_end(c, NULL);
}

static void on_published(int r, const char *key, void *userdata)
{
    struct capture_job *c = userdata;

    if (r < 0) {
        capture_job_fail(c, outcome_of_errno(r), "cannot publish the trace: %s", strerror(-r));
        return;
    }
    if (c->purpose.incident)
        incident_tag_keep(c->purpose.incident);
    capture_job_end(c, key);
}

static void capture_job_publish(struct capture_job *c)
{
    _cleanup_free_ char *json = NULL;
    struct name name;

    c->state = CAPTURE_JOB_PUBLISHING;
    name_init(&name, c->target->service, c->target->host, c->start, c->look.pid);
    name.kind = c->lane->artifact->kind;
    if (c->purpose.incident)
        spool_file_choose_stem(c->file, &name);
    json = pipeline_record(c, &name);
    if (!json) {
        capture_job_fail(c, OUTCOME_RESOURCES, "not enough memory for the record");
        return;
    }
    spool_file_publish(steal(&c->file), &name, c->result.bytes, json, on_published, c);
}

/* The transfer, what is looked up, and the CPU profile beside a trace run side by side. This is called
 * at the end of each and goes on when all have ended. */
static void capture_job_continue(struct capture_job *c)
{
    if (c->state != CAPTURE_JOB_LOOKING_UP || c->look.busy)
        return;
    if (outcome_published(c->result.outcome) && look_end(c))
        return;
    if (c->pair.profile)
        return;
    if (outcome_published(c->result.outcome))
        capture_job_publish(c);
    else
        capture_job_end(c, NULL);
}

static void on_connected(void *userdata, uint32_t peer)
{
    look_begin(userdata, peer, capture_job_continue);
    pair_connected(userdata);
}

static int on_grow(void *userdata, uint64_t bytes)
{
    struct capture_job *c = userdata;

    c->room = bytes;
    return spool_file_grow(c->file, bytes);
}

static void on_captured(void *userdata, const struct capture_result *result)
{
    struct capture_job *c = userdata;

    c->capture = NULL;
    c->result = *result;
    if (result->error == -ENOSPC || result->error == -EDQUOT)
        spool_found_full(c->pipeline->spool);
    c->state = CAPTURE_JOB_LOOKING_UP;
    pair_captured(c);
    capture_job_continue(c);
}

static const struct capture_handlers capture_handlers = {
    .connected = on_connected,
    .grow = on_grow,
    .finished = on_captured,
};

static void capture_job_send(struct capture_job *c)
{
    struct pipeline *p = c->pipeline;
    struct capture_result failure;

    /* A reload may have taken the path away while the job waited. */
    if (!c->target->job->paths[c->lane->artifact->kind]) {
        capture_job_fail(c, OUTCOME_CANCELLED, "the path of the %s is no longer configured",
                         c->lane->artifact->noun);
        return;
    }
    c->state = CAPTURE_JOB_CAPTURING;
    c->job = target_job_ref(c->target->job);
    c->window = target_window(c->job, c->lane->artifact, purpose_window(&c->purpose, c->job));
    c->start = loop_now(p->event, CLOCK_REALTIME);
    c->sent = loop_now(p->event, CLOCK_BOOTTIME);
    c->lane->last_start = c->sent;
    if (capture_start(p->http, c->lane, c->window, spool_file_fd(c->file), c->room,
                      &capture_handlers, c, &c->capture, &failure) < 0) {
        c->result = failure;
        capture_job_end(c, NULL);
    }
}

static void capture_job_start(struct capture_job *c);

static const struct pair_steps pair_steps = {
    .start = capture_job_start,
    .send = capture_job_send,
    .advance = capture_job_continue,
};

static void on_first_room(struct capture_job *c)
{
    if (!pair_begin(c, &pair_steps))
        capture_job_send(c);
}

/* The spool's answer to the first reservation, or to a later one for a growing trace. */
static void on_room(struct spool_file *file, int r, void *userdata)
{
    struct capture_job *c = userdata;

    (void)file;
    if (c->state == CAPTURE_JOB_CAPTURING)
        capture_room(c->capture, c->room, r);
    else if (r < 0)
        capture_job_fail(c, outcome_of_errno(r), "no file for it in the spool: %s", strerror(-r));
    else
        on_first_room(c);
}

/* The size that the capture will probably need: a quarter more than the last one. */
static uint64_t first_room(const struct lane *l)
{
    uint64_t room = l->last.bytes + l->last.bytes / 4, limit = l->target->job->body_size_limit;

    if (room < FIRST_ROOM)
        room = FIRST_ROOM;
    return room < limit ? room : limit;
}

static void capture_job_start(struct capture_job *c)
{
    struct pipeline *p = c->pipeline;
    int r;

    c->state = CAPTURE_JOB_ROOM;
    c->since = loop_now(p->event, CLOCK_BOOTTIME);
    c->room = first_room(c->lane);
    r = spool_file_new(p->spool, c->room, on_room, c, &c->file);
    if (r < 0)
        capture_job_fail(c, outcome_of_errno(r), "no file for it in the spool: %s", strerror(-r));
    else if (r > 0)
        on_first_room(c);
}

static void capture_job_begin(struct capture_job *c)
{
    if (c->target->gone) {
        capture_job_fail(c, OUTCOME_CANCELLED, TARGET_GONE);
        return;
    }
    if (queue_must_park(c)) {
        queue_park(c);
        return;
    }
    queue_take(c);
    capture_job_start(c);
}

static int on_wake(sd_event_source *s, void *userdata)
{
    struct pipeline *p = userdata;
    struct capture_job *c;

    (void)s;
    /* This loop ends: a capture that fails here gives up its place for the next one, and does not
     * come back. */
    while ((c = queue_next(p)))
        capture_job_begin(c);
    return 0;
}

int pipeline_new(sd_event *event, struct http *http, struct disk *disk, struct spool *spool,
                 struct meters *meters, bool once, pipeline_ended_fn fn, void *userdata,
                 struct pipeline **ret)
{
    struct pipeline *p = calloc(1, sizeof(*p));
    int r;

    if (!p)
        return -ENOMEM;
    *p = (struct pipeline){
        .event = event,
        .http = http,
        .disk = disk,
        .spool = spool,
        .meters = meters,
        .fn = fn,
        .userdata = userdata,
        .once = once,
        .max = 1,
    };
    r = sd_event_add_defer(event, &p->wake, on_wake, p);
    if (r >= 0)
        r = sd_event_source_set_enabled(p->wake, SD_EVENT_OFF);
    if (r < 0) {
        pipeline_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    sd_event_source_disable_unref(p->wake);
    free(p);
}

void pipeline_set_concurrency(struct pipeline *p, unsigned max)
{
    p->max = max;
    queue_wake(p);
}

void pipeline_forget(struct pipeline_waiter *w)
{
    if (w)
        w->fn = NULL;
}

bool pipeline_capture_job(const struct lane *l, struct pipeline_capture_job *ret)
{
    const struct capture_job *c = l->capture_job;

    if (!c)
        return false;
    *ret = (struct pipeline_capture_job){
        .state = pipeline_state_name(c->state),
        .reason = c->purpose.name ? c->purpose.name : reason_name(c->purpose.reason),
        .start = c->start,
        .window = c->window,
        .bytes =
            c->state == CAPTURE_JOB_CAPTURING ? capture_received(c->capture) : c->result.received,
    };
    return true;
}

unsigned pipeline_in_flight(const struct pipeline *p)
{
    return p->flying.n;
}

unsigned pipeline_storage_failures(const struct pipeline *p)
{
    return p->storage_failures;
}

void pipeline_drain(struct pipeline *p)
{
    p->drained = true;
    while (p->parked.first) /* first, for an end puts other parked jobs into the queue */
        capture_job_fail(p->parked.first, OUTCOME_CANCELLED, "contraced is stopping");
    for (unsigned i = 0; i < TURNS; i++)
        while (p->waiting[i].first)
            capture_job_fail(p->waiting[i].first, OUTCOME_CANCELLED, "contraced is stopping");
}

void pipeline_cut(struct pipeline *p)
{
    struct capture_job *next;

    pipeline_drain(p);
    for (struct capture_job *c = p->flying.first; c; c = next) {
        next = c->next;
        if (c->state == CAPTURE_JOB_CAPTURING)
            capture_stop(c->capture, "shutdown");
        else if (c->state == CAPTURE_JOB_LEAD)
            capture_job_fail(c, OUTCOME_CANCELLED, "contraced is stopping");
    }
}

bool pipeline_idle(const struct pipeline *p)
{
    return pipeline_waiting(p) == 0 && p->flying.n == 0;
}
