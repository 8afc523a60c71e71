/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/parse.h"
#include "daemon/api/api_state.h"
#include "daemon/watch/triggers.h"
#include "lib/config/trigger.h"

#define CURSOR_MAX (64u << 10)

/* NULL: not filtered. */
struct filter {
    const char *target, *service, *job, *rule, *state;
};

/*
 * A cursor names the last row of a page: the length of the job's name, of the address, and then
 * job, address and rule: "3:13:web10.0.0.1:6060slow". It stays valid if targets are added or removed
 * between two pages.
 */
struct cursor {
    const char *text; /* job, address and rule */
    size_t job, address;
};

/* The page that is being written. */
struct listing {
    struct api *api;
    struct jsonwriter *w;
    struct filter filter;
    struct cursor after; /* text NULL: from the first row on */
    bool begun;          /* the rows up to the cursor are behind us */
    size_t limit, shown;
    uint64_t total;
    bool more;
    struct triggers_row last; /* that was shown */
};

static bool fits(const struct filter *f, const struct triggers_row *row)
{
    const struct target *t = row->target;

    return (!f->target || api_target_is(t, f->target)) &&
           (!f->service || strcmp(f->service, t->service) == 0) &&
           (!f->job || strcmp(f->job, t->job->name) == 0) &&
           (!f->rule || strcmp(f->rule, row->rule->name) == 0) &&
           (!f->state || strcmp(f->state, row->state) == 0);
}

static void put_number(struct jsonwriter *w, const char *key, double value)
{
    if (isfinite(value))
        jsonwriter_real(w, key, value);
    else
        jsonwriter_null(w, key);
}

/* Writes a boot time as a date; 0: null. */
static void put_boot_time(struct jsonwriter *w, const struct api *a, const char *key, usec boot)
{
    usec now = loop_now(a->context.event, CLOCK_BOOTTIME),
         real = loop_now(a->context.event, CLOCK_REALTIME);

    api_put_time(w, key, boot == 0 ? 0 : real - (now - boot));
}

static void put_poll(struct jsonwriter *w, const struct subject_page *p)
{
    if (!p) {
        jsonwriter_null(w, "poll");
        return;
    }
    jsonwriter_object(w, "poll");
    jsonwriter_text(w, "url", p->shown);
    api_put_seconds(w, "interval_seconds", p->page->interval);
    api_put_time(w, "last", p->polled);
    jsonwriter_text(w, "result", p->told ? pollend_name(p->end) : NULL);
    jsonwriter_text(w, "text", p->text ? p->text : "");
    jsonwriter_integer(w, "failures", p->failures);
    api_put_seconds(w, "seconds", p->took);
    jsonwriter_count(w, "bytes", p->bytes);
    jsonwriter_count(w, "series", p->series);
    jsonwriter_end(w);
}

/* Looks for the newest incident that a rule began. */
struct seeking {
    const struct triggers_row *row;
    char id[NAME_KEY_MAX]; /* "": none was found yet */
};

static void seek(void *userdata, const struct incident_report *r)
{
    struct seeking *s = userdata;

    if (!s->id[0] && r->id && r->trigger && strcmp(r->target, s->row->target->shown) == 0 &&
        strcmp(r->job, s->row->target->job->name) == 0 &&
        strcmp(r->trigger->rule, s->row->rule->name) == 0)
        (void)snprintf(s->id, sizeof(s->id), "%s", r->id);
}

/* The id of the last incident that the rule began here, of those that are remembered. */
static void put_incident(struct jsonwriter *w, const struct api *a, const struct triggers_row *row)
{
    struct seeking s = {.row = row};

    if (row->view.fires > 0)
        incidents_list(a->context.incidents, seek, &s);
    jsonwriter_text(w, "incident", s.id[0] ? s.id : NULL);
}

/* What the rule saw last, and what that is held against. */
static void put_view(struct jsonwriter *w, const struct api *a, const struct triggers_row *row)
{
    const struct rulestate_view *v = &row->view;
    char text[RULESTATE_TEXT_SIZE];

    jsonwriter_text(w, "text", rulestate_text(row->known, text));
    put_number(w, "value", v->has_value ? v->value : NAN);
    put_number(w, "threshold", v->threshold);
    put_number(w, "baseline", v->baseline);
    put_number(w, "edge", v->edge);
    put_number(w, "count", v->count);
    jsonwriter_text(w, "label", v->label);
    jsonwriter_integer(w, "over", v->over);
    jsonwriter_integer(w, "for", row->rule->polls);
    jsonwriter_text(w, "why", v->why);
    put_boot_time(w, a, "judged", v->judged);
    put_boot_time(w, a, "seen", v->seen);
    put_boot_time(w, a, "fired", v->fired);
    jsonwriter_count(w, "fires", v->fires);
    jsonwriter_text(w, "refused", v->refused);
    put_boot_time(w, a, "again", v->again);
    put_incident(w, a, row);
}

static void put_row(struct jsonwriter *w, const struct api *a, const struct triggers_row *row)
{
    const struct target *t = row->target;

    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "rule", row->rule->name);
    jsonwriter_text(w, "target", t->shown);
    jsonwriter_text(w, "address", t->address);
    jsonwriter_text(w, "service", t->service);
    jsonwriter_text(w, "host", t->host);
    jsonwriter_text(w, "job", t->job->name);
    jsonwriter_text(w, "kind", trigger_measure_name(row->rule->measure));
    jsonwriter_text(w, "metric", row->rule->of[0]);
    jsonwriter_text(w, "state", row->state);
    put_view(w, a, row);
    put_poll(w, row->page);
    jsonwriter_end(w);
}

static bool parse_cursor(const char *text, struct cursor *ret)
{
    size_t *const lengths[] = {&ret->job, &ret->address};

    for (size_t i = 0; i < 2; i++) {
        const char *colon = strchr(text, ':');
        char digits[8];
        uint64_t n;

        if (!colon || colon - text >= (ptrdiff_t)sizeof(digits))
            return false;
        (void)snprintf(digits, sizeof(digits), "%.*s", (int)(colon - text), text);
        if (parse_unsigned(digits, CURSOR_MAX, &n) < 0)
            return false;
        *lengths[i] = n;
        text = colon + 1;
    }
    ret->text = text;
    return strlen(text) >= ret->job + ret->address;
}

static int compare(const char *text, const char *part, size_t n)
{
    size_t len = strlen(text), least = len < n ? len : n;
    int r = memcmp(text, part, least);

    return r != 0 ? r : (len > n) - (len < n);
}

/* Whether the row comes after the cursor's. If its rule is gone, all of that target are behind. */
static bool is_behind(struct listing *l, const struct triggers_row *row)
{
    const struct cursor *c = &l->after;
    int r;

    if (l->begun || !c->text)
        return true;
    r = compare(row->target->job->name, c->text, c->job);
    if (r == 0)
        r = compare(row->target->address, c->text + c->job, c->address);
    if (r > 0)
        return l->begun = true;
    if (r == 0 && strcmp(row->rule->name, c->text + c->job + c->address) == 0)
        l->begun = true; /* from the next one on */
    return false;
}

static bool take(void *userdata, const struct triggers_row *row)
{
    struct listing *l = userdata;
    bool behind = is_behind(l, row);

    if (!fits(&l->filter, row))
        return true;
    l->total++;
    if (!behind)
        return true;
    if (l->shown == l->limit) {
        l->more = true;
        return true;
    }
    put_row(l->w, l->api, row);
    l->last = *row;
    l->shown++;
    return true;
}

static void put_cursor(struct jsonwriter *w, const struct triggers_row *row)
{
    const char *job = row->target->job->name, *address = row->target->address;
    struct buf text;

    buf_init(&text, CURSOR_MAX);
    (void)buf_addf(&text, "%zu:%zu:%s%s%s", strlen(job), strlen(address), job, address,
                   row->rule->name);
    if (buf_error(&text) < 0)
        buf_fail(w->out, buf_error(&text));
    jsonwriter_text(w, "after", buf_str(&text));
    buf_done(&text);
}

static bool is_state(const char *text)
{
    static const char *const states[] = {
        "ok", "pending", "fired", "refused", "cooling", "waiting", "blind", "poll_failing",
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(text, states[i]) == 0)
            return true;
    }
    return false;
}

static bool is_rule(const struct api *a, const char *name)
{
    const struct config *c = a->context.config(a->context.userdata);

    for (size_t i = 0; i < c->n_triggers; i++) {
        if (strcmp(c->triggers[i].name, name) == 0)
            return true;
    }
    return false;
}

/* False: the filter can fit no rule, and an error was sent. */
static bool check_filter(const struct api *a, struct admin_call *call, const struct filter *f)
{
    if (f->state && !is_state(f->state)) {
        admin_fail(
            call, 400,
            "`state` is one of ok, pending, fired, refused, cooling, waiting, blind, poll_failing");
        return false;
    }
    if (f->rule && !is_rule(a, f->rule)) {
        admin_fail(call, 404, "trigger_configs has no rule `%.100s`", f->rule);
        return false;
    }
    return true;
}

void api_get_triggers(void *userdata, struct admin_call *call)
{
    struct api *a = userdata;
    const char *after = api_query_text(call, "after");
    struct listing l = {.api = a,
                        .limit = API_PAGE_MAX,
                        .filter = {
                            .target = api_query_text(call, "target"),
                            .service = api_query_text(call, "service"),
                            .job = api_query_text(call, "job"),
                            .rule = api_query_text(call, "rule"),
                            .state = api_query_text(call, "state"),
                        }};
    struct api_body body;

    if (!api_query_limit(call, &l.limit) || !check_filter(a, call, &l.filter))
        return;
    if (after && !parse_cursor(after, &l.after)) {
        admin_fail(call, 400, "`after` is no cursor: give what `after` of the page before was");
        return;
    }
    api_body_init(&body);
    api_put_time(&body.json, "now", loop_now(a->context.event, CLOCK_REALTIME));
    l.w = &body.json;
    jsonwriter_array(l.w, "triggers");
    triggers_each(a->context.triggers, take, &l);
    jsonwriter_end(l.w);
    jsonwriter_count(l.w, "total", l.total);
    if (l.more)
        put_cursor(l.w, &l.last);
    else
        jsonwriter_null(l.w, "after");
    api_reply(call, 200, &body);
}
