/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/parse.h"
#include "daemon/api/api_state.h"

#define CURSOR_MAX (64u << 10)

/* The lane's state: "new" until a capture has ended that says something about the target. */
static const char *state_of(const struct lane *l)
{
    return !l->told ? "new" : outcome_name(l->state);
}

/* Writes the boot time of the next capture as a date; null if there is none. */
static void put_next(struct jsonwriter *w, const struct api *a, const struct lane *l)
{
    usec boot = loop_now(a->context.event, CLOCK_BOOTTIME),
         real = loop_now(a->context.event, CLOCK_REALTIME);

    if (l->agenda_index == 0 || l->due == USEC_NEVER)
        jsonwriter_null(w, "next");
    else
        api_put_time(w, "next", real + (l->due > boot ? l->due - boot : 0));
}

static void put_in_flight(struct jsonwriter *w, const struct lane *l)
{
    struct pipeline_capture_job job;

    if (!pipeline_capture_job(l, &job)) {
        jsonwriter_null(w, "in_flight");
        return;
    }
    jsonwriter_object(w, "in_flight");
    jsonwriter_text(w, "state", job.state);
    jsonwriter_text(w, "reason", job.reason);
    api_put_time(w, "start", job.start);
    jsonwriter_count(w, "bytes", job.bytes);
    api_put_window(w, job.window);
    jsonwriter_end(w);
}

/* Writes the result of the last try, and the last trace that was kept. */
static void put_last(struct jsonwriter *w, const struct lane *l)
{
    const struct lane_last *last = &l->last;

    if (last->tried == 0) {
        jsonwriter_null(w, "last");
        return;
    }
    jsonwriter_object(w, "last");
    api_put_time(w, "start", last->tried);
    jsonwriter_text(w, "outcome", outcome_name(last->outcome));
    jsonwriter_text(w, "text", last->text ? last->text : "");
    api_put_time(w, "captured", last->captured);
    jsonwriter_text(w, "key", last->key);
    if (last->key)
        jsonwriter_count(w, "bytes", last->bytes);
    else
        jsonwriter_null(w, "bytes");
    jsonwriter_text(w, "label", last->label);
    api_put_latency(w, "scheduler_latency_p99_seconds", last->key ? last->latency : -1);
    api_put_covered(w, last->key ? last->covered : -1);
    jsonwriter_end(w);
}

/* Writes a lane's state as members of the open object. */
static void put_lane(struct jsonwriter *w, const struct api *a, const struct lane *l)
{
    jsonwriter_text(w, "state", state_of(l));
    jsonwriter_integer(w, "failures", l->failures);
    api_put_seconds(w, "interval_seconds", target_interval(l));
    api_put_window(w, target_window(l->target->job, l->artifact, l->target->job->window));
    put_next(w, a, l);
    put_in_flight(w, l);
    put_last(w, l);
}

/* Writes a target with the state of lane `l`, and all its lanes as `artifacts`. */
static void put_target(struct jsonwriter *w, const struct api *a, const struct lane *l)
{
    const struct target *t = l->target;

    jsonwriter_object(w, NULL);
    api_put_names(w, l);
    jsonwriter_text(w, "address", t->address);
    jsonwriter_object(w, "labels");
    for (size_t i = 0; i < t->n_labels; i++)
        jsonwriter_text(w, t->labels[i].name, t->labels[i].value);
    jsonwriter_end(w);
    put_lane(w, a, l);
    jsonwriter_array(w, "artifacts");
    for (const struct lane *other = t->lanes; other; other = other->next) {
        jsonwriter_object(w, NULL);
        jsonwriter_text(w, "artifact", kind_name(other->artifact->kind));
        jsonwriter_bool(w, "scheduled", other->scheduled);
        put_lane(w, a, other);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
    jsonwriter_end(w);
}

struct filter {
    const char *target, *service, *job, *state; /* NULL: not filtered */
    const struct artifact *artifact;            /* NULL: each target's primary lane */
};

/* The target's lane that the filter means; NULL: it has none. */
static const struct lane *lane_of(const struct filter *f, const struct target *t)
{
    return f->artifact ? target_lane(t, f->artifact) : target_primary(t);
}

static bool fails_so(const struct lane *l, const char *state)
{
    return target_lane_fails(l) &&
           (strcmp(state, "failing") == 0 || strcmp(state, state_of(l)) == 0);
}

/* Without an artifact, a target fails if any of its lanes does that the schedule takes. Who asked for
 * another one was told, and nothing would end such a failure. */
static bool is_in_state(const struct filter *f, const struct target *t, const struct lane *l)
{
    if (!f->state || strcmp(f->state, state_of(l)) == 0)
        return true;
    if (f->artifact)
        return fails_so(l, f->state);
    for (l = t->lanes; l; l = l->next) {
        if (l->wanted && fails_so(l, f->state))
            return true;
    }
    return false;
}

static bool fits(const struct filter *f, const struct target *t)
{
    const struct lane *l = lane_of(f, t);

    if (!l || (f->target && !api_target_is(t, f->target)))
        return false;
    return (!f->service || strcmp(f->service, t->service) == 0) &&
           (!f->job || strcmp(f->job, t->job->name) == 0) && is_in_state(f, t, l);
}

/*
 * Targets are ordered by job name and address. A cursor holds these two of the last target on a
 * page, so it stays valid if targets are added or removed between two pages. It is the length of
 * the name, the name, and the address: "3:web10.0.0.1:6060".
 */
static void put_cursor(struct jsonwriter *w, const char *key, const struct target *t)
{
    struct buf text;

    buf_init(&text, CURSOR_MAX);
    (void)buf_addf(&text, "%zu:%s%s", strlen(t->job->name), t->job->name, t->address);
    if (buf_error(&text) < 0)
        buf_fail(w->out, buf_error(&text));
    jsonwriter_text(w, key, buf_str(&text));
    buf_done(&text);
}

struct cursor {
    const char *job, *address; /* job is not terminated */
    size_t job_len;
};

static bool parse_cursor(const char *text, struct cursor *ret)
{
    const char *colon = strchr(text, ':');
    char digits[8];
    uint64_t n;

    if (!colon || colon - text >= (ptrdiff_t)sizeof(digits))
        return false;
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)(colon - text), text);
    if (parse_unsigned(digits, CONFIG_JOB_NAME_MAX, &n) < 0 || strlen(colon + 1) < n)
        return false;
    *ret = (struct cursor){.job = colon + 1, .address = colon + 1 + n, .job_len = n};
    return true;
}

static bool behind(const struct cursor *c, const struct target *t)
{
    size_t n = strlen(t->job->name), least = n < c->job_len ? n : c->job_len;
    int r = memcmp(t->job->name, c->job, least);

    if (r == 0)
        r = n < c->job_len ? -1 : n > c->job_len;
    return r > 0 || (r == 0 && strcmp(t->address, c->address) > 0);
}

static size_t first_behind(struct targets *ts, const struct cursor *c)
{
    size_t low = 0, high = targets_count(ts);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (behind(c, targets_at(ts, middle)))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void put_page(struct jsonwriter *w, const struct api *a, const struct filter *f,
                     size_t first, size_t limit)
{
    struct targets *ts = a->context.targets;
    const struct target *last = NULL;
    uint64_t total = 0;
    size_t shown = 0;
    bool more = false;

    jsonwriter_array(w, "targets");
    for (size_t i = 0; i < targets_count(ts); i++) {
        const struct target *t = targets_at(ts, i);

        if (!fits(f, t))
            continue;
        total++;
        if (i < first)
            continue;
        if (shown == limit) {
            more = true;
            continue;
        }
        put_target(w, a, lane_of(f, t));
        last = t;
        shown++;
    }
    jsonwriter_end(w);
    jsonwriter_count(w, "total", total);
    if (more)
        put_cursor(w, "after", last);
    else
        jsonwriter_null(w, "after");
}

void api_get_targets(void *userdata, struct admin_call *call)
{
    struct api *a = userdata;
    struct filter filter = {
        .target = api_query_text(call, "target"),
        .service = api_query_text(call, "service"),
        .job = api_query_text(call, "job"),
        .state = api_query_text(call, "state"),
    };
    const char *after = api_query_text(call, "after");
    size_t limit = API_PAGE_MAX;
    struct cursor cursor;
    struct api_body body;

    if (!api_query_limit(call, &limit) || !api_query_artifact(call, &filter.artifact))
        return;
    if (after && !parse_cursor(after, &cursor)) {
        admin_fail(call, 400, "`after` is no cursor: give what `after` of the page before was");
        return;
    }
    api_body_init(&body);
    put_page(&body.json, a, &filter, after ? first_behind(a->context.targets, &cursor) : 0, limit);
    api_reply(call, 200, &body);
}
