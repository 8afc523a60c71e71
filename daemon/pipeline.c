/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/pipeline.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"
#include "daemon/capture/capture.h"

/* Room reserved for a target of which nothing is known yet. */
#define FIRST_ROOM (1u << 20)

enum flight_state {
    FLIGHT_WAITING,    /* for its turn */
    FLIGHT_ROOM,       /* the spool makes room */
    FLIGHT_CAPTURING,  /* the trace streams */
    FLIGHT_LOOKING_UP, /* the trace is there, the process that it is of is still being looked for */
    FLIGHT_PUBLISHING, /* the spool makes it durable */
};

struct flight {
    struct pipeline *pipeline;
    struct flight *prev, *next; /* in `waiting` or in `flying` */
    enum flight_state state;
    struct target *target;
    enum reason reason;
    bool again; /* another one was asked for by signal meanwhile */
    struct spool_file *file;
    uint64_t room; /* asked for */
    struct capture *capture;
    struct capture_result result;
    usec start; /* real time of the request */
    struct disk_job look_up;
    bool looking_up;
    struct target_job *job; /* the settings as they were at the request */
    struct peer_hint hint;
    uint16_t port;
    uint32_t pid;
};

struct flight_list {
    struct flight *first, *last;
    unsigned n;
};

struct pipeline {
    sd_event *event;
    struct http *http;
    struct disk *disk;
    struct spool *spool;
    struct counters *counters;
    pipeline_finished_fn fn;
    void *userdata;
    bool once;
    unsigned max;
    struct flight_list waiting, flying;
    sd_event_source *wake; /* starts what waits, outside of whatever call made a place free */
    bool storage_failed; /* it was said in the log */
    bool drained;
};

static const char *const reason_names[] = {
    [REASON_SCHEDULE] = "schedule",
    [REASON_SIGNAL] = "signal",
};

static void list_add(struct flight_list *l, struct flight *f)
{
    f->prev = l->last;
    f->next = NULL;
    if (l->last)
        l->last->next = f;
    else
        l->first = f;
    l->last = f;
    l->n++;
}

static void list_remove(struct flight_list *l, struct flight *f)
{
    if (f->prev)
        f->prev->next = f->next;
    else
        l->first = f->next;
    if (f->next)
        f->next->prev = f->prev;
    else
        l->last = f->prev;
    l->n--;
}

/* ---- the report ----------------------------------------------------------------------------- */

static void report_published(const struct flight *f, enum log_level level, const char *key)
{
    const struct target *t = f->target;
    char size[PARSE_TEXT_SIZE];

    log_write(level,
              &(struct log_fields){.service = t->service,
                                   .target = t->shown,
                                   .key = key,
                                   .result = outcome_name(f->result.outcome),
                                   .message_id = MESSAGE_ID_CAPTURED},
              "captured %s: %s, go 1.%u, %s%s%s", t->shown, format_size(f->result.bytes, size),
              f->result.go_minor, key, f->result.text[0] ? "; " : "", f->result.text);
}

/* One line when the target's state changes, none while it stays as it is. */
static void report_target(struct flight *f, const char *key)
{
    struct target *t = f->target;
    enum outcome outcome = f->result.outcome, before = t->state;
    const struct log_fields fields = {
        .service = t->service,
        .target = t->shown,
        .result = outcome_name(outcome),
        .message_id = outcome_failed(outcome) ? MESSAGE_ID_TARGET_DOWN : MESSAGE_ID_TARGET_UP,
    };

    if (!outcome_tells(outcome)) {
        log_write(LOG_LEVEL_DEBUG,
                  &(struct log_fields){.service = t->service,
                                       .target = t->shown,
                                       .result = outcome_name(outcome)},
                  "no capture of %s: %s: %s", t->shown, outcome_name(outcome), f->result.text);
        return;
    }
    t->state = outcome;
    if (outcome_published(outcome)) {
        if (outcome_failed(before))
            log_write(LOG_LEVEL_INFO, &fields, "captures of %s work again, after %u failed tries",
                      t->shown, t->failures);
        t->failures = 0;
        report_published(
            f, outcome == OUTCOME_TRUNCATED && before != outcome ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
            key);
        return;
    }
    t->failures++;
    if (outcome != before) {
        char interval[PARSE_TEXT_SIZE];
        bool once = f->pipeline->once;

        log_write(LOG_LEVEL_WARN, &fields, "cannot capture %s: %s: %s%s%s%s", t->shown,
                  outcome_name(outcome), f->result.text, outcome_hint(outcome),
                  once ? "" : "; tried again at least every ",
                  once ? "" : format_duration(t->job->interval, interval));
    }
}

/*
 * The disk is not the target's fault: said once for all of them. When the spool has no room, it says
 * so itself.
 */
static void report_storage(struct pipeline *p, const struct flight *f)
{
    enum outcome outcome = f->result.outcome;
    bool failed = outcome == OUTCOME_NO_SPACE || outcome == OUTCOME_STORAGE;
    const struct log_fields fields = {.result = outcome_name(outcome),
                                      .message_id = MESSAGE_ID_STORAGE};

    if (outcome == OUTCOME_NO_SPACE && spool_refusing(p->spool))
        return;
    if (failed && !p->storage_failed)
        log_write(LOG_LEVEL_ERROR, &fields,
                  "a capture of %s was dropped: %s: %s; so will be others until it works again",
                  f->target->shown, outcome_name(outcome), f->result.text);
    else if (outcome_published(outcome) && p->storage_failed)
        log_write(LOG_LEVEL_INFO, &fields, "traces can be stored again");
    if (failed || outcome_published(outcome))
        p->storage_failed = failed;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void wake(struct pipeline *p)
{
    (void)sd_event_source_set_enabled(p->wake, SD_EVENT_ONESHOT);
}

static void flight_end(struct flight *f, const char *key)
{
    struct pipeline *p = f->pipeline;
    struct target *t = f->target;
    enum reason reason = f->reason;
    enum outcome outcome = f->result.outcome;
    bool again = f->again && !p->drained && !t->gone;

    spool_file_discard(f->file);
    list_remove(f->state == FLIGHT_WAITING ? &p->waiting : &p->flying, f);
    p->counters->captures[outcome]++;
    if (outcome_published(outcome)) {
        p->counters->bytes += f->result.bytes;
        p->counters->last_success = f->start;
        t->last_bytes = f->result.bytes;
    }
    report_storage(p, f);
    report_target(f, key);
    t->flight = NULL;
    target_job_unref(f->job);
    free(f);
    if (again)
        pipeline_capture(p, t, REASON_SIGNAL);
    wake(p);
    p->fn(p->userdata, t, reason, outcome);
    target_unref(t);
}

static void flight_fail(struct flight *f, enum outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void flight_fail(struct flight *f, enum outcome outcome, const char *fmt, ...)
{
    va_list ap;

    f->result.outcome = outcome;
    va_start(ap, fmt);
    (void)vsnprintf(f->result.text, sizeof f->result.text, fmt, ap);
    va_end(ap);
    flight_end(f, NULL);
}

/* ---- publishing ----------------------------------------------------------------------------- */

static void on_published(int r, const char *key, void *userdata)
{
    struct flight *f = userdata;

    if (r < 0)
        flight_fail(f, outcome_of_errno(r), "cannot publish the trace: %s", strerror(-r));
    else
        flight_end(f, key);
}

static char *make_record(const struct flight *f, const struct name *name)
{
    const struct target *t = f->target;
    const struct capture_result *result = &f->result;
    struct record_label *labels = calloc(t->n_labels + 1, sizeof *labels);
    char go_version[16], *json;

    if (!labels)
        return NULL;
    for (size_t i = 0; i < t->n_labels; i++)
        labels[i] = (struct record_label){t->labels[i].name, t->labels[i].value};
    (void)snprintf(go_version, sizeof go_version, "1.%u", result->go_minor);
    json = record_to_json(&(struct record){
        .service = name->service,
        .host = name->host,
        .pid = name->pid,
        .target = t->shown,
        .job = f->job->name,
        .labels = labels,
        .n_labels = t->n_labels,
        .reason = reason_names[f->reason],
        .start = f->start,
        .seconds = (double)f->job->window / (double)USEC_PER_SEC,
        .bytes = result->bytes,
        .sha256 = result->sha256,
        .go_version = go_version,
        .complete = result->outcome == OUTCOME_OK,
        .received = result->received,
        .truncated_by = result->cut_by,
        .generations = (unsigned)result->generations,
    });
    free(labels);
    return json;
}

static void flight_publish(struct flight *f)
{
    _cleanup_free_ char *json = NULL;
    struct name name;

    f->state = FLIGHT_PUBLISHING;
    name_init(&name, f->target->service, f->target->host, f->start, f->pid);
    json = make_record(f, &name);
    if (!json) {
        flight_fail(f, OUTCOME_RESOURCES, "not enough memory for the record");
        return;
    }
    spool_file_publish(steal(&f->file), &name, f->result.bytes, json, on_published, f);
}

/* ---- whose trace it is ---------------------------------------------------------------------- */

static struct flight *flight_of(struct disk_job *job)
{
    return (struct flight *)((char *)job - offsetof(struct flight, look_up));
}

/* The transfer and the look-up go on side by side; the flight goes on when both have ended. */
static void flight_landed(struct flight *f)
{
    if (f->state != FLIGHT_LOOKING_UP || f->looking_up)
        return;
    if (outcome_published(f->result.outcome))
        flight_publish(f);
    else
        flight_end(f, NULL);
}

/* On a disk thread: reads nothing that anybody changes meanwhile. */
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

/* ---- the capture ---------------------------------------------------------------------------- */

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
    /* A pid file is what the operator said; the socket's word counts only without one. */
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
    (void)sd_event_now(p->event, CLOCK_REALTIME, &f->start);
    (void)sd_event_now(p->event, CLOCK_BOOTTIME, &f->target->last_start);
    if (capture_start(p->http, f->target, spool_file_fd(f->file), f->room, &capture_handlers, f,
                      &f->capture, &failure) < 0) {
        f->result = failure;
        flight_end(f, NULL);
        return;
    }
    look_up(f);
}

/* The spool's answer: to the first reservation, or to one that a growing trace asked for. */
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

/* What a trace will probably need: a quarter more than the last one. */
static uint64_t first_room(const struct target *t)
{
    uint64_t room = t->last_bytes + t->last_bytes / 4;

    if (room < FIRST_ROOM)
        room = FIRST_ROOM;
    return room < t->job->body_size_limit ? room : t->job->body_size_limit;
}

static void flight_begin(struct flight *f)
{
    struct pipeline *p = f->pipeline;
    int r;

    list_remove(&p->waiting, f);
    list_add(&p->flying, f);
    f->state = FLIGHT_ROOM;
    f->room = first_room(f->target);
    r = spool_file_new(p->spool, f->room, on_room, f, &f->file);
    if (r < 0)
        flight_fail(f, outcome_of_errno(r), "no file for it in the spool: %s", strerror(-r));
    else if (r > 0)
        flight_send(f);
}

static int on_wake(sd_event_source *s, void *userdata)
{
    struct pipeline *p = userdata;

    (void)s;
    /* One that fails at once makes room for the next one, each at its first try: this ends. */
    while (p->waiting.first && p->flying.n < p->max)
        flight_begin(p->waiting.first);
    return 0;
}

/* ---- the room's interface ------------------------------------------------------------------- */

int pipeline_new(sd_event *event, struct http *http, struct disk *disk, struct spool *spool,
                 struct counters *counters, bool once, pipeline_finished_fn fn, void *userdata,
                 struct pipeline **ret)
{
    struct pipeline *p = calloc(1, sizeof *p);
    int r;

    if (!p)
        return -ENOMEM;
    *p = (struct pipeline){
        .event = event,
        .http = http,
        .disk = disk,
        .spool = spool,
        .counters = counters,
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

void pipeline_capture(struct pipeline *p, struct target *t, enum reason reason)
{
    struct flight *f = t->flight;

    if (f) {
        if (reason == REASON_SIGNAL && f->reason == REASON_SCHEDULE && f->state != FLIGHT_WAITING)
            f->again = true;
        else
            p->counters->captures[OUTCOME_SKIPPED]++;
        return;
    }
    f = calloc(1, sizeof *f);
    if (!f) {
        log_error("not enough memory to capture %s", t->shown);
        p->counters->captures[OUTCOME_RESOURCES]++;
        return;
    }
    *f = (struct flight){.pipeline = p, .target = target_ref(t), .reason = reason};
    t->flight = f;
    list_add(&p->waiting, f);
    wake(p);
}

void pipeline_drain(struct pipeline *p)
{
    p->drained = true;
    while (p->waiting.first)
        flight_fail(p->waiting.first, OUTCOME_CANCELLED, "contraced is stopping");
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
    return p->waiting.n == 0 && p->flying.n == 0;
}
