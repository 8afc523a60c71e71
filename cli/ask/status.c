/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/status.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/jsonwriter.h"
#include "cli/ask/call.h"
#include "cli/ask/escape.h"
#include "cli/ask/fields.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"

static const char intro[] =
    "Usage: contrace status [OPTIONS]\n"
    "Says how contraced is and what it does: its targets, their last and next captures, what\n"
    "waits to be uploaded and how full the disk is. Exit status: 0 ready, 1 not ready or not\n"
    "reached.\n";

#define LIMIT_DEFAULT 1000 /* targets that are shown */
#define PAGE 200           /* targets asked for at once */
#define JSON_MAX (64u << 20)
#define WATCH_PAUSE (2 * USEC_PER_SEC)

struct status_arguments {
    const char *service, *job, *state;
    unsigned limit;
    bool json, watch;
};

#define FIELD(name) offsetof(struct status_arguments, name)

static const struct argument rows[] = {
    {"service", 's', "NAME", "only targets of this service", argument_text, FIELD(service)},
    {"job", 0, "NAME", "only targets of this job", argument_text, FIELD(job)},
    {"state", 0, "STATE", "only targets in this state: ok, busy, timeout, …", argument_text,
     FIELD(state)},
    {"limit", 'n', "N", "only the first N targets (1000)", argument_count, FIELD(limit)},
    {"json", 0, NULL, "one JSON object", argument_flag, FIELD(json)},
    {"watch", 'w', NULL, "again every two seconds", argument_flag, FIELD(watch)},
};

/* 200 or 503, whose body says why. Anything else is as bad as no answer. */
static int ask_ready(struct endpoint *e, struct status *s)
{
    struct call c;
    int r = call_start(&c, e, "GET", "/-/ready", NULL, CALL_TIMEOUT);

    if (r == 0)
        r = call_wait(&c);
    if (r == 0 && !call_ok(&c) && (c.result.error != HTTP_OK || c.result.status != 503)) {
        call_complain(&c);
        r = -EIO;
    }
    if (r == 0) {
        s->ready = call_ok(&c);
        (void)snprintf(s->reasons, sizeof(s->reasons), "%s", s->ready ? "" : buf_str(&c.answer));
    }
    call_done(&c);
    return r;
}

/* One page of targets after the cursor, which becomes the next one; NULL at the end. */
static int ask_page(struct endpoint *e, const struct status_arguments *a, struct status *s,
                    unsigned limit, char **cursor)
{
    const struct escape_pair query[] = {
        {"service", a->service},
        {"job", a->job},
        {"state", a->state},
        {"after", *cursor},
    };
    json_t *page = NULL, *targets;
    struct buf path;
    const char *next;
    int r;

    buf_init(&path, ESCAPE_MAX);
    r = buf_addf(&path, "/api/v1/targets?limit=%u", limit);
    if (r == 0)
        r = escape_query(&path, query, sizeof(query) / sizeof(query[0]));
    if (r == 0)
        r = call_ask(e, "GET", buf_str(&path), NULL, &page);
    if (buf_error(&path) < 0)
        complain("not enough memory");
    buf_done(&path);
    if (r < 0)
        return r;
    targets = json_object_get(page, "targets");
    if (json_array_size(targets) > 0 && json_array_extend(s->targets, targets) < 0)
        r = complain_memory();
    s->total = field_count(page, "total");
    next = json_array_size(targets) > 0 ? json_string_value(json_object_get(page, "after")) : NULL;
    free(*cursor);
    *cursor = next ? strdup(next) : NULL;
    if (next && !*cursor)
        r = complain_memory();
    json_decref(page);
    return r;
}

static int ask_targets(struct endpoint *e, const struct status_arguments *a, struct status *s)
{
    _cleanup_free_ char *cursor = NULL;
    int r = 0;

    s->targets = json_array();
    if (!s->targets)
        return complain_memory();
    do {
        size_t left = a->limit - json_array_size(s->targets);

        r = ask_page(e, a, s, left < PAGE ? (unsigned)left : PAGE, &cursor);
    } while (r == 0 && cursor && json_array_size(s->targets) < a->limit);
    return r;
}

static int ask(struct endpoint *e, const struct status_arguments *a, struct status *s)
{
    int r = call_ask(e, "GET", "/api/v1/status", NULL, &s->status);

    if (r == 0)
        r = ask_ready(e, s);
    if (r == 0)
        r = ask_targets(e, a, s);
    return r;
}

static void status_done(struct status *s)
{
    json_decref(s->status);
    json_decref(s->targets);
    *s = (struct status){0};
}

static int put_json(struct jsonwriter *w, const char *key, const json_t *json)
{
    char *text = field_json(json);

    if (!text)
        return -ENOMEM;
    jsonwriter_json(w, key, text);
    free(text);
    return 0;
}

static void put_reasons(struct jsonwriter *w, const char *line)
{
    jsonwriter_array(w, "reasons");
    while (*line) {
        size_t n = strcspn(line, "\n");

        jsonwriter_textn(w, NULL, line, n);
        line += n + (line[n] == '\n');
    }
    jsonwriter_end(w);
}

/* The answers as they came, in one object. */
static int print_json(const struct status *s)
{
    struct jsonwriter w;
    struct buf text;
    int r;

    buf_init(&text, JSON_MAX);
    jsonwriter_init(&w, &text, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&w, NULL);
    jsonwriter_bool(&w, "ready", s->ready);
    put_reasons(&w, s->reasons);
    r = put_json(&w, "status", s->status);
    if (r == 0)
        r = put_json(&w, "targets", s->targets);
    jsonwriter_count(&w, "total", s->total);
    jsonwriter_end(&w);
    if (r == 0)
        r = jsonwriter_finish(&w);
    if (r == 0)
        (void)puts(buf_str(&text));
    buf_done(&text);
    return r;
}

static int print(const struct status *s, const struct status_arguments *a)
{
    const struct status_options options = {.width = screen_width(stdout),
                                           .colour = screen_colour(stdout),
                                           .utf8 = screen_utf8(),
                                           .now = clock_real()};
    int r;

    if (a->watch && options.width > 0)
        (void)fputs("\033[H\033[2J", stdout);
    r = a->json ? print_json(s) : status_print(stdout, s, &options);
    if (r < 0)
        return complain_memory();
    return screen_finish();
}

static int on_pause(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    *(bool *)userdata = true;
    return 0;
}

static int pause_watching(struct endpoint *e)
{
    sd_event_source *timer = NULL;
    bool over = false;
    int r = sd_event_add_time_relative(e->event, &timer, CLOCK_BOOTTIME, WATCH_PAUSE, 0, on_pause,
                                       &over);

    while (r >= 0 && !over)
        r = endpoint_wait(e);
    (void)sd_event_source_disable_unref(timer);
    return r < 0 ? r : 0;
}

/* 0 when ready, 1 when not. */
static int show(struct endpoint *e, const struct status_arguments *a)
{
    int r;

    do {
        struct status s = {0};
        bool ready;

        r = ask(e, a, &s);
        if (r == 0)
            r = print(&s, a);
        ready = s.ready;
        status_done(&s);
        if (r == 0 && a->watch)
            r = pause_watching(e);
        else if (r == 0 && !ready)
            r = 1;
    } while (r == 0 && a->watch);
    return r;
}

int command_status(int argc, char **argv)
{
    struct endpoint_arguments where = {0};
    struct status_arguments a = {.limit = LIMIT_DEFAULT};
    const struct argument_group groups[] = {GROUP(rows, &a), GROUP(endpoint_rows, &where)};
    struct endpoint e;
    int rest, r = arguments_parse(argc, argv, groups, 2, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest < argc) {
        complain("status: '%s' is not an option; --address=ADDR asks another contraced, "
                 "--service=NAME shows one service",
                 argv[rest]);
        return STATUS_USAGE;
    }
    r = endpoint_open(&e, &where);
    if (r == 0) {
        r = show(&e, &a);
        endpoint_close(&e);
    }
    return command_exit(r);
}
