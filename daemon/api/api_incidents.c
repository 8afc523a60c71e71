/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Incidents on demand, and the list of those under way and of the last ones. Whether an order is
 * taken is up to daemon/order/incident.h.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api/api_state.h"
#include "daemon/api/apirequest.h"
#include "daemon/artifact/artifacts.h"
#include "daemon/order/allowance.h"

/* The incidents of one request, and the answer to it. */
struct incident_orders {
    struct api *api;
    struct admin_call *call;
    struct incident_item *items;
    size_t n, left; /* that were taken, and how many of them have not ended yet */
    size_t kept;    /* incidents of which something was kept */
    bool wait;
    struct api_list limited, placeless;
    usec retry_after; /* the shortest of the limited ones */
    enum incident_limit limit;
    bool stopping, no_memory;
};

/* An incident that was taken or joined. Its JSON object is open until it has ended. */
struct incident_item {
    struct incident_orders *all;
    struct incident_waiter *waiter;
    struct buf text;
    struct jsonwriter json;
};

static void orders_done(struct incident_orders *o)
{
    for (size_t i = 0; i < o->n; i++) {
        incidents_forget(o->items[i].waiter);
        buf_done(&o->items[i].text);
    }
    free(o->items);
    api_list_done(&o->limited);
    api_list_done(&o->placeless);
    free(o);
}

static void put_trigger(struct jsonwriter *w, const struct record_trigger *t)
{
    if (!t) {
        jsonwriter_null(w, "trigger");
        return;
    }
    jsonwriter_object(w, "trigger");
    jsonwriter_text(w, "rule", t->rule);
    jsonwriter_real(w, "value", t->value);
    jsonwriter_real(w, "threshold", t->threshold);
    jsonwriter_text(w, "unit", t->unit);
    jsonwriter_text(w, "text", t->text);
    jsonwriter_end(w);
}

static const char *state_of(const struct incident_piece *p)
{
    return p->ended ? "ended" : p->begun ? "under_way" : "waiting";
}

/* Why a profile is empty is no part of its end. */
static const char *text_of(const struct incident_piece *p)
{
    const char *hint = artifacts_of_kind(p->kind)->empty_hint;

    if (!p->ended)
        return NULL;
    if (p->outcome == OUTCOME_EMPTY && hint && (!p->text || !*p->text))
        return hint + strspn(hint, "; ");
    return p->text;
}

static void put_pieces(struct jsonwriter *w, const struct incident_report *r)
{
    jsonwriter_array(w, "artifacts");
    for (size_t i = 0; i < r->n_pieces; i++) {
        const struct incident_piece *p = &r->pieces[i];

        jsonwriter_object(w, NULL);
        jsonwriter_text(w, "artifact", kind_name(p->kind));
        jsonwriter_text(w, "state", state_of(p));
        jsonwriter_text(w, "outcome", p->ended ? outcome_name(p->outcome) : NULL);
        jsonwriter_text(w, "text", text_of(p));
        jsonwriter_text(w, "key", p->key);
        if (p->beside)
            jsonwriter_bool(w, "for_cpu_samples", true);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
}

/* Writes the members of an incident. */
static void put_report(struct jsonwriter *w, const struct incident_report *r)
{
    jsonwriter_text(w, "incident", r->id);
    jsonwriter_text(w, "target", r->target);
    jsonwriter_text(w, "service", r->service);
    jsonwriter_text(w, "host", r->host);
    jsonwriter_text(w, "job", r->job);
    jsonwriter_text(w, "reason", r->reason);
    put_trigger(w, r->trigger);
    api_put_time(w, "start", r->start);
    api_put_time(w, "ended", r->ended);
    put_pieces(w, r);
}

static void reply(struct incident_orders *o, unsigned status, const char *error)
{
    struct api_body body;

    if (o->no_memory) {
        admin_no_memory(o->call);
        orders_done(o);
        return;
    }
    api_body_init(&body);
    if (error)
        jsonwriter_text(&body.json, "error", error);
    jsonwriter_array(&body.json, "incidents");
    for (size_t i = 0; i < o->n; i++)
        jsonwriter_json(&body.json, NULL, buf_str(&o->items[i].text));
    jsonwriter_end(&body.json);
    api_list_put(&o->limited, "limited", &body.json);
    api_list_put(&o->placeless, "placeless", &body.json);
    api_reply(o->call, status, &body);
    orders_done(o);
}

static void reply_ends(struct incident_orders *o)
{
    const struct api_context *c = &o->api->context;

    if (o->kept > 0)
        reply(o, 200, NULL);
    else
        reply(o, c->stopping(c->userdata) ? 503 : 502, "nothing of it could be had");
}

static void end_item(struct incident_item *item, const struct incident_report *r)
{
    put_report(&item->json, r);
    jsonwriter_end(&item->json);
    if (jsonwriter_finish(&item->json) < 0)
        item->all->no_memory = true;
}

static void on_ended(void *userdata, const struct incident_report *r)
{
    struct incident_item *item = userdata;
    struct incident_orders *o = item->all;

    item->waiter = NULL;
    end_item(item, r);
    o->kept += r->kept > 0;
    if (--o->left == 0)
        reply_ends(o);
}

static void on_gone(void *userdata, struct admin_call *call)
{
    (void)call;
    orders_done(userdata);
}

static void add_limited(struct incident_orders *o, const struct target *t,
                        const struct incident_reply *r)
{
    struct jsonwriter *w = &o->limited.json;

    if (o->limited.n == 0 || r->retry_after < o->retry_after) {
        o->retry_after = r->retry_after;
        o->limit = r->limit;
    }
    o->limited.n++;
    jsonwriter_object(w, NULL);
    api_put_whose(w, t);
    jsonwriter_text(w, "limit", incident_limit_name(r->limit));
    api_put_seconds(w, "retry_after_seconds", r->retry_after);
    jsonwriter_end(w);
}

static void add_placeless(struct incident_orders *o, const struct target *t)
{
    o->placeless.n++;
    jsonwriter_object(&o->placeless.json, NULL);
    api_put_whose(&o->placeless.json, t);
    jsonwriter_end(&o->placeless.json);
}

/* What an order adds to an incident under way, and what it wants and will not have. */
static void put_joined(struct jsonwriter *w, const struct incident_reply *r)
{
    const struct {
        const char *name;
        unsigned kinds;
    } lists[] = {{"added", r->added}, {"lacks", r->lacks}};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        jsonwriter_array(w, lists[i].name);
        for (unsigned k = 0; k < KINDS; k++) {
            if (lists[i].kinds & 1u << k)
                jsonwriter_text(w, NULL, kind_name((enum kind)k));
        }
        jsonwriter_end(w);
    }
    if (r->lacks && r->retry_after > 0)
        jsonwriter_text(w, "limit", incident_limit_name(r->limit));
}

static void add_taken(struct incident_orders *o, struct target *t, const struct incident_reply *r)
{
    struct incident_item *item = &o->items[o->n++];
    struct incident_report report;

    item->waiter = r->waiter;
    buf_init(&item->text, API_ORDER_MAX);
    jsonwriter_init(&item->json, &item->text, api_style);
    jsonwriter_object(&item->json, NULL);
    jsonwriter_bool(&item->json, "joined", r->answer == INCIDENT_JOINED);
    if (r->answer == INCIDENT_JOINED)
        put_joined(&item->json, r);
    if (r->waiter)
        o->left++;
    else if (incident_of(t, &report))
        end_item(item, &report);
}

static void order(struct incident_orders *o, size_t target, const struct capture_request *request,
                  const char *name)
{
    struct target *t = targets_at(o->api->context.targets, target);
    struct incident_item *item = &o->items[o->n];
    struct incident_reply r;

    item->all = o;
    r = incidents_order(o->api->context.incidents, &(struct incident_order){
                                                       .target = t,
                                                       .reason = REASON_API,
                                                       .name = name,
                                                       .artifacts = request->artifacts,
                                                       .window = request->window,
                                                       .samples = request->samples,
                                                       .fn = o->wait ? on_ended : NULL,
                                                       .userdata = item,
                                                   });
    switch (r.answer) {
    case INCIDENT_TAKEN:
    case INCIDENT_JOINED: add_taken(o, t, &r); break;
    case INCIDENT_LIMITED: add_limited(o, t, &r); break;
    case INCIDENT_PLACELESS: add_placeless(o, t); break;
    case INCIDENT_STOPPING: o->stopping = true; break;
    case INCIDENT_NO_MEMORY: o->no_memory = true; break;
    }
}

void api_describe_limit(const struct api *a, enum incident_limit limit,
                        char text[static API_WHY_SIZE])
{
    const struct incidents_config *c = &a->context.config(a->context.userdata)->incidents;

    switch (limit) {
    case INCIDENT_LIMIT_ALL:
        (void)snprintf(
            text, API_WHY_SIZE,
            "incidents.max_per_hour allows %u incident%s an hour of all targets together",
            c->max_per_hour, c->max_per_hour == 1 ? "" : "s");
        break;
    case INCIDENT_LIMIT_TARGET:
        (void)snprintf(text, API_WHY_SIZE,
                       "incidents.max_per_target_per_hour allows %u incident%s an hour of a target",
                       c->max_per_target_per_hour, c->max_per_target_per_hour == 1 ? "" : "s");
        break;
    case INCIDENT_LIMIT_TRACED:
        (void)snprintf(text, API_WHY_SIZE,
                       "incidents.max_traced allows incidents to trace a target for %.4g%% of the "
                       "time",
                       c->max_traced * 100);
        break;
    case INCIDENT_LIMIT_PRESSURE:
        (void)snprintf(
            text, API_WHY_SIZE,
            "CPUs are short: the pressure is at or above incidents.cpu_pressure_ceiling, "
            "%.4g%%",
            c->cpu_pressure_ceiling * 100);
        break;
    case INCIDENT_LIMIT_ALLOWANCE:
    default:
        (void)snprintf(text, API_WHY_SIZE,
                       "captured too often: a target may be traced on demand for 5%% of the time "
                       "and %llu seconds at once",
                       (unsigned long long)(ALLOWANCE_BURST / USEC_PER_SEC));
        break;
    }
}

static void reply_refused(struct incident_orders *o)
{
    char why[API_WHY_SIZE], after[24];
    unsigned long long seconds = (o->retry_after + USEC_PER_SEC - 1) / USEC_PER_SEC;

    if (o->stopping) {
        admin_fail(o->call, 503, "contraced is stopping; ask the one that follows it");
    } else if (o->no_memory) {
        admin_no_memory(o->call);
    } else if (o->limited.n == 0) {
        admin_fail(o->call, 400,
                   "it is not known where the target has any of these artifacts: see `flight`, "
                   "profiles_path and incident_artifacts of its job");
    } else {
        api_describe_limit(o->api, o->limit, why);
        (void)snprintf(after, sizeof(after), "%llu", seconds);
        admin_call_header(o->call, "Retry-After", after);
        admin_fail(o->call, 429, "%s; ask again in %llu s", why, seconds);
    }
    orders_done(o);
}

void api_order_incidents(struct api *a, struct admin_call *call,
                         const struct capture_request *request, const char *name, size_t n)
{
    struct targets *ts = a->context.targets;
    struct incident_orders *o = calloc(1, sizeof(*o));

    if (o) {
        o->api = a;
        o->call = call;
        o->wait = request->wait;
        api_list_init(&o->limited);
        api_list_init(&o->placeless);
        o->items = calloc(n, sizeof(*o->items));
    }
    if (!o || !o->items) {
        if (o)
            orders_done(o);
        admin_no_memory(call);
        return;
    }
    for (size_t i = 0; i < targets_count(ts); i++) {
        if (api_is_meant(request, targets_at(ts, i)))
            order(o, i, request, name);
    }
    if (o->n == 0)
        reply_refused(o);
    else if (o->left > 0)
        admin_call_on_gone(call, on_gone, o);
    else
        reply(o, 202, NULL); /* accepted; the captures follow */
}

/* Opens the object of an incident in `captures`, with the artifact that it begins with. */
static void begin_one(struct order *one, const struct target *t)
{
    struct incident_report report;

    buf_init(&one->text, API_ORDER_MAX);
    jsonwriter_init(&one->json, &one->text, api_style);
    jsonwriter_object(&one->json, NULL);
    api_put_whose(&one->json, t);
    if (incident_of(t, &report))
        jsonwriter_text(&one->json, "artifact", kind_name(report.pieces[0].kind));
    jsonwriter_bool(&one->json, "incident", true);
}

enum incident_answer orders_add_incident(struct orders *o, size_t target, enum reason reason,
                                         const char *name, struct order **ret)
{
    struct target *t = targets_at(o->api->context.targets, target);
    struct incident_reply r;

    *ret = NULL;
    if (!o->incidents)
        o->incidents = calloc(o->batch.max + 1, sizeof(*o->incidents));
    if (!o->incidents)
        return INCIDENT_NO_MEMORY;
    r = incidents_order(o->api->context.incidents,
                        &(struct incident_order){.target = t, .reason = reason, .name = name});
    if (r.answer != INCIDENT_TAKEN && r.answer != INCIDENT_JOINED)
        return r.answer;
    *ret = &o->incidents[o->n_incidents++];
    begin_one(*ret, t);
    if (r.answer == INCIDENT_JOINED)
        put_joined(&(*ret)->json, &r);
    return r.answer;
}

static void put_one(void *userdata, const struct incident_report *r)
{
    struct jsonwriter *w = userdata;

    jsonwriter_object(w, NULL);
    put_report(w, r);
    jsonwriter_end(w);
}

void api_get_incidents(void *userdata, struct admin_call *call)
{
    const struct api *a = userdata;
    struct api_body body;

    api_body_init(&body);
    jsonwriter_array(&body.json, "incidents");
    incidents_list(a->context.incidents, put_one, &body.json);
    jsonwriter_end(&body.json);
    api_reply(call, 200, &body);
}
