/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/jsonwriter.h"
#include "base/parse.h"
#include "cli/ask/call.h"
#include "cli/ask/captured.h"
#include "cli/ask/capturing.h"
#include "cli/ask/escape.h"
#include "cli/ask/fields.h"
#include "cli/ask/incident.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"

static const char intro[] =
    "Usage: contrace capture [OPTIONS] TARGET\n"
    "       contrace capture [OPTIONS] --service=NAME | --job=NAME | --all\n"
    "Has contraced take traces now, also while it is suspended, prints their keys, and waits until\n"
    "they are labelled, for at most ten seconds. TARGET is an address or URL that 'contrace status'\n"
    "knows. Exit status: 0 all were taken, 1 not all.\n";

#define POLL (400 * USEC_PER_MSEC)
#define WAIT_TIMEOUT (10 * USEC_PER_MIN) /* a turn, a window and its timeout may each take long */
#define LABEL_PATIENCE (10 * USEC_PER_SEC)

struct capture_arguments {
    struct capturing_scope scope;
    const char *seconds, *reason, *artifact;
    bool all, incident, cpu_samples, no_wait, json;
};

#define FIELD(name) offsetof(struct capture_arguments, name)

static const char *read_seconds(void *field, const char *value)
{
    double seconds;

    if (parse_decimal(value, &seconds) < 0)
        return "a number of seconds, such as 2 or 0.5";
    *(const char **)field = value;
    return NULL;
}

static const struct argument rows[] = {
    {"service", 's', "NAME", "all targets of this service", argument_text, FIELD(scope.service)},
    {"job", 0, "NAME", "all targets of this job", argument_text, FIELD(scope.job)},
    {"all", 0, NULL, "all targets", argument_flag, FIELD(all)},
    {"seconds", 0, "N", "so long, instead of the job's time; a fraction is allowed", read_seconds,
     FIELD(seconds)},
    {"artifact", 0, "NAME", "trace, mutex, …; by itself the trace, if the job has it",
     argument_text, FIELD(artifact)},
    {"incident", 0, NULL, "all that one moment can tell, under one id: see incident_artifacts",
     argument_flag, FIELD(incident)},
    {"cpu-samples", 0, NULL, "with CPU samples in the trace, by a CPU profile beside it",
     argument_flag, FIELD(cpu_samples)},
    {"reason", 0, "TEXT", "for the records, behind 'api:'", argument_text, FIELD(reason)},
    {"no-wait", 0, NULL, "do not wait for the end", argument_flag, FIELD(no_wait)},
    {"json", 0, NULL, "one JSON object for each capture, a line each", argument_flag, FIELD(json)},
};

struct capture {
    const struct capture_arguments *a;
    struct endpoint *endpoint;
    struct call order;
    struct call poll; /* of the targets; repeated */
    bool polling;
    sd_event_source *timer; /* the next poll */
    bool due;
    usec end; /* boot time until which to wait for labels; 0: not waiting for them yet */
    struct capturing progress;
    unsigned width; /* of the terminal behind stderr; 0: there is none */
    bool shown;
    json_t *captures; /* the result of each capture; borrowed from `answer` */
    json_t *answer;
    bool failed, no_memory;
};

static void clear(struct capture *c)
{
    if (c->shown)
        (void)fputs("\r\033[K", stderr);
    c->shown = false;
}

static const char *name_of(const struct capture *c, char out[static FIELD_SIZE])
{
    const struct capturing_scope *s = &c->a->scope;
    const char *name = s->target ? s->target : s->service ? s->service : s->job;

    name = name ? name : "all targets";
    return field_plain(name, strlen(name), out);
}

static void draw(struct capture *c)
{
    char text[CAPTURING_TEXT_SIZE], name[FIELD_SIZE];
    usec now = clock_boot();

    if (c->width == 0)
        return;
    (void)fprintf(stderr, "\r\033[K%s",
                  capturing_text(&c->progress, name_of(c, name), now, c->width, text));
    (void)fflush(stderr);
    c->shown = true;
}

static int on_timer(sd_event_source *source, uint64_t now, void *userdata)
{
    struct capture *c = userdata;

    (void)source;
    (void)now;
    c->due = true;
    return 0;
}

static int arm(struct capture *c, usec wait)
{
    int r = 0;

    c->due = false;
    if (!c->timer)
        r = sd_event_add_time_relative(c->endpoint->event, &c->timer, CLOCK_BOOTTIME, wait, 0,
                                       on_timer, c);
    else
        r = sd_event_source_set_time_relative(c->timer, wait);
    if (r >= 0)
        r = sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
    if (r < 0)
        complain("cannot look how it goes on: %s", strerror(-r));
    return r;
}

/* The timeout of the next request: while it waits for labels, no longer than that wait. */
static usec call_time(const struct capture *c)
{
    usec now = clock_boot();

    if (c->end == 0)
        return CALL_TIMEOUT;
    return now < c->end ? c->end - now : 1; /* 0 would be none at all */
}

static void start_poll(struct capture *c)
{
    const struct escape_pair query[] = {
        {"target", c->a->scope.target},
        {"service", c->a->scope.service},
        {"job", c->a->scope.job},
        {"artifact", c->a->artifact},
    };
    struct buf path;

    buf_init(&path, ESCAPE_MAX);
    if (buf_adds(&path, "/api/v1/targets?limit=1000") == 0 &&
        escape_query(&path, query, sizeof(query) / sizeof(query[0])) == 0)
        c->polling =
            call_start(&c->poll, c->endpoint, "GET", buf_str(&path), NULL, call_time(c)) == 0;
    buf_done(&path);
}

/* The targets if a poll has just been answered, as a new reference; else NULL. */
static json_t *polled(struct capture *c)
{
    json_t *o = NULL, *targets;

    if (!c->polling || !c->poll.done)
        return NULL;
    /* A poll only shows progress, so its errors are ignored: the capture request has its own
     * answer. */
    if (call_ok(&c->poll))
        (void)jsontext_parse(buf_str(&c->poll.answer), c->poll.answer.len, 0, NULL, &o);
    call_done(&c->poll);
    c->polling = false;
    (void)arm(c, POLL);
    targets = json_incref(json_object_get(o, "targets"));
    json_decref(o);
    return targets;
}

/* Polls and draws while the loop runs. 0, or -EINTR. */
static int step(struct capture *c, json_t **ret_targets)
{
    int r = endpoint_wait(c->endpoint);

    if (r == 0 && c->due && !c->polling) {
        c->due = false;
        start_poll(c);
        if (!c->polling)
            (void)arm(c, POLL);
    }
    *ret_targets = r == 0 ? polled(c) : NULL;
    return r;
}

static int wait_for_end(struct capture *c)
{
    int r = 0;

    if (c->width > 0) {
        draw(c);
        r = arm(c, 0);
    }
    while (r >= 0 && !c->order.done) {
        json_t *targets;

        r = step(c, &targets);
        if (targets) {
            capturing_count(&c->progress, &c->a->scope, targets, clock_boot());
            draw(c);
        }
        json_decref(targets);
    }
    clear(c);
    return r < 0 ? r : 0;
}

/* Copies labels and numbers that are known by now. Returns how many traces that were kept
 * still have no label. */
static size_t take_labels(struct capture *c, const json_t *targets)
{
    static const char *const names[] = {"label", "scheduler_latency_p99_seconds", "covered"};
    enum { N_NAMES = sizeof(names) / sizeof(names[0]) };
    json_t *capture;
    size_t i, left = 0;

    json_array_foreach(c->captures, i, capture) {
        const char *key = json_string_value(json_object_get(capture, "key"));
        const json_t *target;
        size_t k;

        json_array_foreach(targets, k, target) {
            const json_t *last = json_object_get(target, "last");
            const char *its = json_string_value(json_object_get(last, "key"));

            for (size_t n = 0; key && its && strcmp(key, its) == 0 && n < N_NAMES; n++) {
                json_t *value = json_object_get(last, names[n]);

                if (value && !json_is_null(value) && json_object_set(capture, names[n], value) < 0)
                    c->no_memory = true;
            }
        }
        left += key && captured_is_trace(capture) && !json_object_get(capture, "label");
    }
    return left;
}

/* Whether this contraced labels traces at all. 0, 1, or a negative errno after a message. */
static int has_labels(struct capture *c)
{
    json_t *status = NULL, *enabled;
    struct call call;
    int r = call_start(&call, c->endpoint, "GET", "/api/v1/status", NULL, call_time(c));

    if (r == 0)
        r = call_wait(&call);
    if (r == 0)
        r = call_json(&call, &status);
    call_done(&call);
    if (r < 0)
        return r;
    enabled = json_object_get(json_object_get(status, "inspections"), "enabled");
    r = !json_is_false(enabled);
    json_decref(status);
    return r;
}

static int wait_for_labels(struct capture *c)
{
    size_t left = take_labels(c, NULL);
    int r;

    c->end = clock_boot() + LABEL_PATIENCE;
    r = left == 0 ? 0 : has_labels(c);
    if (r == -EIO)
        return 0; /* a message was printed; the captures themselves succeeded */
    if (r <= 0)
        return r;
    r = 0;
    if (c->width > 0) {
        (void)fputs("waiting for the label …", stderr);
        (void)fflush(stderr);
        c->shown = true;
    }
    /* Also while a poll is under way: has_labels() ran the loop, in which it may have ended. */
    r = arm(c, 0);
    while (r >= 0 && left > 0 && clock_boot() < c->end) {
        json_t *targets;

        r = step(c, &targets);
        if (targets)
            left = take_labels(c, targets);
        json_decref(targets);
    }
    clear(c);
    if (r >= 0 && c->no_memory)
        r = complain_memory();
    return r < 0 ? r : 0;
}

/* Reads the answer. Some or all of its captures may have failed. 0, or -EIO after a message. */
static int take_answer(struct capture *c)
{
    struct call *order = &c->order;
    bool all_failed = order->result.error == HTTP_OK && order->result.status == 502;
    struct captured_style style;
    int r = 0;

    if (all_failed)
        (void)jsontext_parse(buf_str(&order->answer), order->answer.len, 0, NULL, &c->answer);
    if (!json_is_array(json_object_get(c->answer, "captures")) &&
        !json_is_array(json_object_get(c->answer, "incidents"))) {
        json_decref(c->answer);
        c->answer = NULL;
        r = call_json(order, &c->answer);
    }
    if (r < 0)
        return r;
    if (incident_flatten(c->answer) < 0)
        return complain_memory();
    incident_tell(c->answer);
    c->captures = json_object_get(c->answer, "captures");
    style.ended = !c->a->no_wait;
    style.labels = c->width > 0 && !c->a->json;
    style.flight = c->a->artifact && strcmp(c->a->artifact, "flight") == 0;
    c->failed = captured_tell(c->answer, &style);
    return 0;
}

/* Prints keys at once and then waits for labels, so that a `list` afterwards shows them. */
static int show(struct capture *c)
{
    int r = 0;

    if (!c->a->json && !c->a->no_wait)
        r = captured_print_keys(c->captures);
    if (r == 0 && !c->a->no_wait)
        r = wait_for_labels(c);
    /* Whoever interrupts the wait for labels is told what was taken all the same. */
    if ((r == 0 || r == -EINTR) && c->a->json) {
        int printed = captured_print_objects(c->captures);

        r = r == 0 ? printed : r;
    }
    if (r == 0 && !c->a->json && c->width > 0)
        captured_print_labels(c->captures);
    if (r == 0 && c->a->no_wait && !c->a->json)
        (void)fprintf(stderr, "%zu asked for\n", json_array_size(c->captures));
    return r < 0 ? r : c->failed;
}

static int request_of(const struct capture_arguments *a, struct buf *out)
{
    const struct capturing_scope *s = &a->scope;
    struct jsonwriter w;
    int r;

    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 17});
    jsonwriter_object(&w, NULL);
    jsonwriter_bool(&w, "wait", !a->no_wait);
    if (s->target)
        jsonwriter_text(&w, "target", s->target);
    else if (s->service)
        jsonwriter_text(&w, "service", s->service);
    else if (s->job)
        jsonwriter_text(&w, "job", s->job);
    else
        jsonwriter_bool(&w, "all", true);
    if (a->seconds)
        jsonwriter_real(&w, "seconds", strtod(a->seconds, NULL));
    if (a->incident)
        jsonwriter_bool(&w, "incident", true);
    if (a->artifact)
        jsonwriter_text(&w, "artifact", a->artifact);
    if (a->cpu_samples)
        jsonwriter_bool(&w, "cpu_samples", true);
    if (a->reason)
        jsonwriter_text(&w, "reason", a->reason);
    jsonwriter_end(&w);
    r = jsonwriter_finish(&w);
    if (r < 0)
        complain("%s", r == -E2BIG ? "what is asked for is too long" : "not enough memory");
    return r;
}

static int start(struct capture *c)
{
    struct buf request;
    int r;

    buf_init(&request, CALL_BODY_MAX);
    r = request_of(c->a, &request);
    if (r == 0)
        r = call_start(&c->order, c->endpoint, "POST", "/api/v1/capture", &request,
                       c->a->no_wait ? CALL_TIMEOUT : WAIT_TIMEOUT);
    buf_done(&request);
    return r;
}

static int run(struct capture *c)
{
    int r = start(c);

    if (r == 0)
        r = wait_for_end(c);
    if (r == -EINTR && !c->a->no_wait)
        complain("interrupted; contraced goes on with what it has begun");
    if (r == 0)
        r = take_answer(c);
    if (r == 0)
        r = show(c);
    if (c->polling)
        call_done(&c->poll);
    call_done(&c->order);
    (void)sd_event_source_disable_unref(c->timer);
    json_decref(c->answer);
    return r;
}

static int usage(const struct capture_arguments *a, int words)
{
    int ways = (words > 0) + (a->scope.service != NULL) + (a->scope.job != NULL) + a->all;

    if (a->incident && a->artifact) {
        complain("capture: an incident takes what its job says in incident_artifacts: leave out "
                 "--artifact");
        return -EINVAL;
    }
    if (a->cpu_samples && a->artifact && strcmp(a->artifact, "trace") != 0) {
        complain("capture: --cpu-samples puts CPU samples into a trace: leave out --artifact");
        return -EINVAL;
    }
    if (ways == 1 && words <= 1)
        return 0;
    if (ways == 0)
        complain("capture: which? Give a target, as 'contrace status' shows it, --service=NAME, "
                 "--job=NAME or --all");
    else
        complain("capture: one target, --service, --job or --all");
    return -EINVAL;
}

int command_capture(int argc, char **argv)
{
    struct endpoint_arguments where = {0};
    struct capture_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a), GROUP(endpoint_rows, &where)};
    struct endpoint e;
    int rest, r = arguments_parse(argc, argv, groups, 2, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (usage(&a, argc - rest) < 0)
        return STATUS_USAGE;
    a.scope.target = rest < argc ? argv[rest] : NULL;
    if (a.cpu_samples && !a.incident && !a.artifact)
        a.artifact = "trace";
    r = endpoint_open(&e, &where);
    if (r == 0) {
        struct capture c = {.a = &a, .endpoint = &e, .width = a.no_wait ? 0 : screen_width(stderr)};

        r = run(&c);
        endpoint_close(&e);
    }
    return command_exit(r);
}
