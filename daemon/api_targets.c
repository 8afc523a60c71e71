/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "daemon/api_state.h"

/* "new" before the first capture has ended. */
static const char *state_of(const struct target *t)
{
    return t->last.tried == 0 ? "new" : outcome_name(t->state);
}

/* The boot time of its next capture as a date; null when there is none. */
static json_t *next_of(const struct api *a, const struct target *t)
{
    usec boot = api_now(a, CLOCK_BOOTTIME), real = api_now(a, CLOCK_REALTIME);

    if (t->agenda_index == 0 || t->due == USEC_NEVER)
        return json_null();
    return api_time(real + (t->due > boot ? t->due - boot : 0));
}

static json_t *in_flight_of(const struct target *t)
{
    struct pipeline_flight f;

    if (!pipeline_flight(t, &f))
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "state", f.state, "reason", api_text(f.reason),
                     "start", api_time(f.start), "bytes", api_number(f.bytes), "seconds",
                     f.window > 0 ? api_seconds(f.window) : json_null());
}

/* What came of the last try, and the last trace that was kept. */
static json_t *last_of(const struct target *t)
{
    const struct target_last *last = &t->last;

    if (last->tried == 0)
        return json_null();
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "start", api_time(last->tried), "outcome",
        outcome_name(last->outcome), "text", api_text(last->text ? last->text : ""), "captured",
        api_time(last->captured), "key", api_text(last->key), "bytes",
        last->key ? api_number(last->bytes) : json_null(), "label", api_text(last->label),
        "scheduler_latency_p99_seconds", api_latency(last->key ? last->latency : -1));
}

static json_t *labels_of(const struct target *t)
{
    json_t *labels = json_object();

    for (size_t i = 0; i < t->n_labels; i++) {
        if (json_object_set_new(labels, t->labels[i].name, api_text(t->labels[i].value)) < 0) {
            json_decref(labels);
            return NULL;
        }
    }
    return labels;
}

static json_t *target_object(const struct api *a, const struct target *t)
{
    json_t *o = api_target_names(t);
    json_t *more = json_pack(
        "{s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "address", api_text(t->address), "labels",
        labels_of(t), "state", state_of(t), "failures", (int)t->failures, "interval_seconds",
        api_seconds(t->job->interval), "seconds", api_seconds(t->job->window), "next",
        next_of(a, t), "in_flight", in_flight_of(t), "last", last_of(t));

    if (!o || !more || json_object_update(o, more) < 0) {
        json_decref(o);
        o = NULL;
    }
    json_decref(more);
    return o;
}

struct filter {
    const char *target, *service, *job, *state; /* NULL: any */
};

static bool fits(const struct filter *f, const struct target *t)
{
    if (f->state && strcmp(f->state, "failing") == 0 && !outcome_failed(t->state))
        return false;
    if (f->target && !api_target_is(t, f->target))
        return false;
    return (!f->service || strcmp(f->service, t->service) == 0) &&
           (!f->job || strcmp(f->job, t->job->name) == 0) &&
           (!f->state || strcmp(f->state, "failing") == 0 || strcmp(f->state, state_of(t)) == 0);
}

/*
 * Targets stand in the order of their jobs' names and their addresses, so a cursor is these two of
 * a page's last: it holds when targets come and go between two pages. "3:web10.0.0.1:6060": how
 * long the name is, the name, the address.
 */
static json_t *cursor_of(const struct target *t)
{
    _cleanup_free_ char *text = NULL;

    if (asprintf(&text, "%zu:%s%s", strlen(t->job->name), t->job->name, t->address) < 0) {
        text = NULL;
        return NULL;
    }
    return api_text(text);
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

static json_t *make_page(struct api *a, const struct filter *f, size_t first, size_t limit)
{
    struct targets *ts = a->context.targets;
    json_t *list = json_array(), *after = json_null();
    const struct target *last = NULL;
    uint64_t total = 0;
    bool more = false, ok = list;

    for (size_t i = 0; ok && i < targets_count(ts); i++) {
        const struct target *t = targets_at(ts, i);

        if (!fits(f, t))
            continue;
        total++;
        if (i < first)
            continue;
        more = json_array_size(list) == limit;
        if (more)
            first = SIZE_MAX;
        else
            ok = json_array_append_new(list, target_object(a, last = t)) == 0;
    }
    if (more)
        after = cursor_of(last);
    if (!ok) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o}", "targets", list, "total", api_number(total), "after",
                     after);
}

void api_get_targets(void *userdata, struct admin_call *call)
{
    struct api *a = userdata;
    const struct filter filter = {
        .target = api_query_text(call, "target"),
        .service = api_query_text(call, "service"),
        .job = api_query_text(call, "job"),
        .state = api_query_text(call, "state"),
    };
    const char *after = api_query_text(call, "after");
    size_t limit = API_PAGE_MAX;
    struct cursor cursor;

    if (!api_query_limit(call, &limit))
        return;
    if (after && !parse_cursor(after, &cursor)) {
        admin_fail(call, 400, "`after` is no cursor: give what `after` of the page before was");
        return;
    }
    api_reply(call, 200,
              make_page(a, &filter, after ? first_behind(a->context.targets, &cursor) : 0, limit));
}
