/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/pipeline.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
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

static void wake(struct pipeline *p)
{
    (void)sd_event_source_set_enabled(p->wake, SD_EVENT_ONESHOT);
}

static void flight_free(struct flight *f)
{
    purpose_done(&f->purpose);
    purpose_done(&f->after);
    target_job_unref(f->job);
    free(f);
}

/* Starts the capture that was asked for while this one was under way, or ends it as cancelled. */
static void begin_after(struct flight *f, const struct pipeline_end *end)
{
    struct pipeline *p = f->pipeline;
    struct target *t = f->target;
    struct flight *after = NULL;

    if (!f->again)
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
        purpose_tell(&f->after, &cancelled);
        return;
    }
    *after = (struct flight){
        .pipeline = p, .target = target_ref(t), .lane = f->lane, .purpose = f->after};
    f->after = (struct purpose){0};
    f->lane->flight = after;
    after->since = end->ended;
    queue_add(after);
}

static void flight_end(struct flight *f, const char *key)
{
    struct pipeline *p = f->pipeline;
    struct target *t = f->target;
    struct lane *l = f->lane;
    struct pipeline_end end = {
        .target = t,
        .lane = l,
        .reason = f->purpose.reason,
        .name = f->purpose.name,
        .outcome = f->result.outcome,
        .text = f->result.text,
        .key = key,
        .start = f->start,
        .due = f->purpose.due,
        .sent = f->sent,
        .window = f->window,
        .bytes = key ? f->result.bytes : 0,
    };

    end.ended = loop_now(p->event, CLOCK_BOOTTIME);
    spool_file_discard(f->file);
    queue_leave(f);
    meters_captured(p->meters, t->job->name,
                    &(struct meters_capture){
                        .kind = l->artifact->kind,
                        .outcome = end.outcome,
                        .bytes = end.bytes,
                        .start = key ? end.start : 0,
                        /* A failing target waits for its share of the places, so its delay says
                         * nothing about load. */
                        .due = f->turn == TURN_ILL ? 0 : end.due,
                        .sent = end.sent,
                        .ended = end.ended,
                    });
    if (key)
        l->last.bytes = end.bytes;
    if (end.sent > 0)
        l->last_took = end.ended - end.sent;
    pipeline_report(p, f, key);
    pipeline_report_in_time(p, f);
    l->flight = NULL;
    begin_after(f, &end);
    queue_unpark(p, t);
    wake(p);
    p->fn(p->userdata, &end);
    purpose_tell(&f->purpose, &end);
    flight_free(f);
    target_unref(t);
}

static void flight_fail(struct flight *f, enum outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void flight_fail(struct flight *f, enum outcome outcome, const char *fmt, ...)
{
    va_list ap;

    f->result.outcome = outcome;
    va_start(ap, fmt);
    (void)vsnprintf(f->result.text, sizeof(f->result.text), fmt, ap);
    va_end(ap);
    flight_end(f, NULL);
}

static void on_published(int r, const char *key, void *userdata)
{
    struct flight *f = userdata;

    if (r < 0)
        flight_fail(f, outcome_of_errno(r), "cannot publish the trace: %s", strerror(-r));
    else
        flight_end(f, key);
}

static void flight_publish(struct flight *f)
{
    _cleanup_free_ char *json = NULL;
    struct name name;

    f->state = FLIGHT_PUBLISHING;
    name_init(&name, f->target->service, f->target->host, f->start, f->pid);
    name.kind = f->lane->artifact->kind;
    json = pipeline_record(f, &name);
    if (!json) {
        flight_fail(f, OUTCOME_RESOURCES, "not enough memory for the record");
        return;
    }
    spool_file_publish(steal(&f->file), &name, f->result.bytes, json, on_published, f);
}

static struct flight *flight_of(struct disk_job *job)
{
    return (struct flight *)((char *)job - offsetof(struct flight, look_up));
}

/* The transfer and the process look-up run side by side. This is called at the end of each and goes
 * on when both have ended. */
static void flight_landed(struct flight *f)
{
    if (f->state != FLIGHT_LOOKING_UP || f->looking_up)
        return;
    if (outcome_published(f->result.outcome))
        flight_publish(f);
    else
        flight_end(f, NULL);
}

/* Runs on a disk thread: reads only members that nobody changes meanwhile. */
static int look_up_run(struct disk_job *job)
{
    struct flight *f = flight_of(job);

    if (f->job->pid_file)
        f->pid = peer_of_pid_file(f->job->pid_file);
    else
        f->pid = peer_of_port(f->port, &f->hint);
    return 0;
}

static void look_up_done(struct disk_job *job, int r)
{
    struct flight *f = flight_of(job);

    (void)r;
    f->looking_up = false;
    f->target->peer = f->hint;
    flight_landed(f);
}

static void look_up(struct flight *f)
{
    f->port = f->target->local_port;
    if (!f->job->pid_file && f->port == 0)
        return;
    f->hint = f->target->peer;
    f->look_up = (struct disk_job){.run = look_up_run, .done = look_up_done};
    f->looking_up = true;
    disk_submit(f->pipeline->disk, &f->look_up);
}

static int on_grow(void *userdata, uint64_t bytes)
{
    struct flight *f = userdata;

    f->room = bytes;
    return spool_file_grow(f->file, bytes);
}

static void on_captured(void *userdata, const struct capture_result *result)
{
    struct flight *f = userdata;

    f->capture = NULL;
    f->result = *result;
    if (result->error == -ENOSPC || result->error == -EDQUOT)
        spool_found_full(f->pipeline->spool);
    /* The operator's pid file takes precedence over the socket's credentials. */
    if (result->peer != 0 && !f->job->pid_file)
        f->pid = result->peer;
    f->state = FLIGHT_LOOKING_UP;
    flight_landed(f);
}

static const struct capture_handlers capture_handlers = {
    .grow = on_grow,
    .finished = on_captured,
};

static void flight_send(struct flight *f)
{
    struct pipeline *p = f->pipeline;
    struct capture_result failure;

    f->state = FLIGHT_CAPTURING;
    f->job = target_job_ref(f->target->job);
    f->window = artifact_window(f->lane->artifact, purpose_window(&f->purpose, f->job));
    f->start = loop_now(p->event, CLOCK_REALTIME);
    f->sent = loop_now(p->event, CLOCK_BOOTTIME);
    f->lane->last_start = f->sent;
    if (capture_start(p->http, f->lane, f->window, spool_file_fd(f->file), f->room,
                      &capture_handlers, f, &f->capture, &failure) < 0) {
        f->result = failure;
        flight_end(f, NULL);
        return;
    }
    look_up(f);
}

/* The spool's answer to the first reservation, or to a later one for a growing trace. */
static void on_room(struct spool_file *file, int r, void *userdata)
{
    struct flight *f = userdata;

    (void)file;
    if (f->state == FLIGHT_CAPTURING)
        capture_room(f->capture, f->room, r);
    else if (r < 0)
        flight_fail(f, outcome_of_errno(r), "no file for it in the spool: %s", strerror(-r));
    else
        flight_send(f);
}

/* The size that the capture will probably need: a quarter more than the last one. */
static uint64_t first_room(const struct lane *l)
{
    uint64_t room = l->last.bytes + l->last.bytes / 4, limit = l->target->job->body_size_limit;

    if (room < FIRST_ROOM)
        room = FIRST_ROOM;
    return room < limit ? room : limit;
}

static void flight_begin(struct flight *f)
{
    struct pipeline *p = f->pipeline;
    int r;

    if (f->target->gone) {
        flight_fail(f, OUTCOME_CANCELLED, TARGET_GONE);
        return;
    }
    if (queue_must_park(f)) {
        queue_park(f);
        return;
    }
    queue_take(f);
    f->state = FLIGHT_ROOM;
    f->since = loop_now(p->event, CLOCK_BOOTTIME);
    f->room = first_room(f->lane);
    r = spool_file_new(p->spool, f->room, on_room, f, &f->file);
    if (r < 0)
        flight_fail(f, outcome_of_errno(r), "no file for it in the spool: %s", strerror(-r));
    else if (r > 0)
        flight_send(f);
}

static int on_wake(sd_event_source *s, void *userdata)
{
    struct pipeline *p = userdata;
    struct flight *f;

    (void)s;
    /* This loop ends: a capture that fails here gives up its place for the next one, and does not
     * come back. */
    while ((f = queue_next(p)))
        flight_begin(f);
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
    wake(p);
}

/* Counts a capture that was never begun. */
static void count(struct pipeline *p, const struct lane *l, enum outcome outcome)
{
    meters_captured(p->meters, l->target->job->name,
                    &(struct meters_capture){.kind = l->artifact->kind, .outcome = outcome});
}

static int join_waiting(struct flight *f, const struct pipeline_order *order,
                        struct pipeline_waiter **ret)
{
    int r = purpose_join(&f->purpose, order, ret);

    queue_raise(f);
    return r;
}

/* Handles an order for a lane whose capture is under way or waits. */
static int join(struct flight *f, const struct pipeline_order *order, struct pipeline_waiter **ret)
{
    int r;

    /* A failing target waits long for its share of the places, so this is no sign of overload and
     * is not counted. */
    if (order->reason == REASON_SCHEDULE && f->state == FLIGHT_WAITING && f->turn == TURN_ILL)
        return 0;
    if (order->reason == REASON_SCHEDULE ||
        (order->reason == REASON_SIGNAL && f->purpose.reason == REASON_SIGNAL)) {
        count(f->pipeline, f->lane, OUTCOME_SKIPPED);
        pipeline_report_late(f->pipeline, f);
        return 0;
    }
    if (f->state == FLIGHT_WAITING)
        return join_waiting(f, order, ret);
    r = purpose_join(&f->after, order, ret);
    f->again = f->again || r == 0;
    return r;
}

int pipeline_capture(struct pipeline *p, struct lane *l, const struct pipeline_order *order,
                     struct pipeline_waiter **ret)
{
    struct flight *f = l->flight;
    int r;

    if (ret)
        *ret = NULL;
    if (p->drained)
        return -ESHUTDOWN;
    if (f) {
        r = join(f, order, ret);
    } else {
        f = calloc(1, sizeof(*f));
        r = f ? purpose_join(&f->purpose, order, ret) : -ENOMEM;
        if (r == 0) {
            f->pipeline = p;
            f->purpose.due = order->due;
            f->target = target_ref(l->target);
            f->lane = l;
            f->since = loop_now(p->event, CLOCK_BOOTTIME);
            l->flight = f;
            queue_add(f);
            wake(p);
            return 0;
        }
        free(f);
    }
    if (r < 0) {
        log_error("not enough memory to capture %s", target_shown(l));
        count(p, l, OUTCOME_RESOURCES);
    }
    return r;
}

usec pipeline_adds(const struct lane *l, usec window)
{
    const struct flight *f = l->flight;
    const struct target_job *job = l->target->job;
    usec anyway = 0;

    if (f)
        anyway = purpose_window(f->state == FLIGHT_WAITING ? &f->purpose : &f->after, job);
    if (window == 0)
        window = job->window;
    return window > anyway ? window - anyway : 0;
}

void pipeline_forget(struct pipeline_waiter *w)
{
    if (w)
        w->fn = NULL;
}

bool pipeline_flight(const struct lane *l, struct pipeline_flight *ret)
{
    const struct flight *f = l->flight;

    if (!f)
        return false;
    *ret = (struct pipeline_flight){
        .state = pipeline_state_name(f->state),
        .reason = f->purpose.name ? f->purpose.name : reason_name(f->purpose.reason),
        .start = f->start,
        .window = f->window,
        .bytes = f->state == FLIGHT_CAPTURING ? capture_received(f->capture) : f->result.received,
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
    for (unsigned i = 0; i < TURNS; i++)
        while (p->waiting[i].first)
            flight_fail(p->waiting[i].first, OUTCOME_CANCELLED, "contraced is stopping");
    while (p->parked.first)
        flight_fail(p->parked.first, OUTCOME_CANCELLED, "contraced is stopping");
}

void pipeline_cut(struct pipeline *p)
{
    struct flight *next;

    pipeline_drain(p);
    for (struct flight *f = p->flying.first; f; f = next) {
        next = f->next;
        if (f->state == FLIGHT_CAPTURING)
            capture_stop(f->capture, "shutdown");
    }
}

bool pipeline_idle(const struct pipeline *p)
{
    return pipeline_waiting(p) == 0 && p->flying.n == 0;
}
