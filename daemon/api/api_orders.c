/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Captures on demand: finds the targets that a request means, and answers it. Whether an order is
 * taken is up to the desk.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/api/api_state.h"
#include "daemon/api/apirequest.h"
#include "daemon/order/allowance.h"

#define REASON_SIZE (sizeof("api:") + APIREQUEST_TEXT_MAX)

void orders_free(struct orders *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->batch.taken; i++)
        buf_done(&o->list[i].text);
    for (size_t i = 0; i < o->n_incidents; i++)
        buf_done(&o->incidents[i].text);
    batch_done(&o->batch);
    free(o->incidents);
    free(o->list);
    api_list_done(&o->limited);
    api_list_done(&o->placeless);
    free(o);
}

static void on_ended(void *userdata, size_t i, const struct pipeline_end *end);

struct orders *orders_new(struct api *a, struct admin_call *call, size_t max, bool wait)
{
    struct orders *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    o->api = a;
    o->call = call;
    api_list_init(&o->limited);
    api_list_init(&o->placeless);
    o->list = calloc(max + 1, sizeof(*o->list));
    if (!o->list || batch_init(&o->batch, a->context.desk, a->context.targets, max,
                               wait ? on_ended : NULL, o) < 0) {
        orders_free(o);
        return NULL;
    }
    return o;
}

static void add_limited(struct orders *o, const struct lane *l, usec wait)
{
    struct jsonwriter *w = &o->limited.json;

    o->limited.n++;
    jsonwriter_object(w, NULL);
    api_put_names(w, l);
    api_put_seconds(w, "retry_after_seconds", wait);
    jsonwriter_end(w);
}

static void add_placeless(struct orders *o, const struct target *t)
{
    struct jsonwriter *w = &o->placeless.json;

    o->placeless.n++;
    jsonwriter_object(w, NULL);
    api_put_target(w, t, o->batch.artifact);
    jsonwriter_end(w);
}

void order_end(struct orders *o, struct order *one)
{
    jsonwriter_end(&one->json);
    if (jsonwriter_finish(&one->json) < 0)
        o->no_memory = true;
}

void orders_put(const struct orders *o, struct jsonwriter *w)
{
    jsonwriter_array(w, "captures");
    for (size_t i = 0; i < o->batch.taken; i++)
        jsonwriter_json(w, NULL, buf_str(&o->list[i].text));
    for (size_t i = 0; i < o->n_incidents; i++)
        jsonwriter_json(w, NULL, buf_str(&o->incidents[i].text));
    jsonwriter_end(w);
}

static void reply(struct orders *o, unsigned status, const char *error)
{
    struct api_body body;

    if (o->no_memory || o->batch.no_memory) {
        admin_no_memory(o->call);
    } else {
        api_body_init(&body);
        if (error)
            jsonwriter_text(&body.json, "error", error);
        orders_put(o, &body.json);
        api_list_put(&o->limited, "limited", &body.json);
        api_list_put(&o->placeless, "placeless", &body.json);
        api_reply(o->call, status, &body);
    }
    orders_free(o);
}

/* Answers when all captures have ended, or when there was nothing to wait for. Frees the orders. */
static void reply_ends(struct orders *o)
{
    const struct api_context *c = &o->api->context;

    if (o->batch.published > 0)
        reply(o, 200, NULL);
    else
        reply(o, c->stopping(c->userdata) ? 503 : 502, o->first);
}

/* What the log says beside the text of an outcome that is no failure, but not what was asked for. */
static const char *hint_of(const struct pipeline_end *end)
{
    if (end->outcome != OUTCOME_EMPTY && end->outcome != OUTCOME_NOT_READY &&
        !outcome_absent(end->outcome))
        return NULL;
    return end->hint ? end->hint : outcome_hint(end->outcome);
}

/* The text and the hint, which begins with "; ". */
static void put_text(struct jsonwriter *w, const struct pipeline_end *end)
{
    const char *hint = hint_of(end), *text = end->text ? end->text : "";
    struct buf whole;

    buf_init(&whole, API_ORDER_MAX);
    if (hint)
        (void)buf_addf(&whole, "%s%s", text, *text ? hint : hint + strspn(hint, "; "));
    if (buf_error(&whole) < 0)
        buf_fail(w->out, buf_error(&whole));
    jsonwriter_text(w, "text", hint ? buf_str(&whole) : end->text);
    buf_done(&whole);
}

/* Whether the trace has CPU samples, if they were wanted: as in the record. */
static void put_samples(struct jsonwriter *w, const struct pipeline_samples *s)
{
    char why[PIPELINE_WHY_SIZE];

    if (!s)
        return;
    if (s->sampled == PIPELINE_SAMPLED_MAYBE)
        jsonwriter_null(w, "cpu_samples");
    else
        jsonwriter_bool(w, "cpu_samples", s->sampled == PIPELINE_SAMPLED);
    jsonwriter_text(w, "cpu_profile", s->key);
    if (!s->key)
        jsonwriter_text(w, "no_cpu_profile", pipeline_why_unsampled(s, why));
}

static void put_end(struct jsonwriter *w, const struct pipeline_end *end)
{
    jsonwriter_text(w, "outcome", outcome_name(end->outcome));
    put_text(w, end);
    jsonwriter_text(w, "key", end->key);
    jsonwriter_count(w, "bytes", end->bytes);
    api_put_time(w, "start", end->start);
    api_put_window(w, end->window);
    put_samples(w, end->samples);
}

static void on_ended(void *userdata, size_t i, const struct pipeline_end *end)
{
    struct orders *o = userdata;

    put_end(&o->list[i].json, end);
    order_end(o, &o->list[i]);
    if (i == 0)
        (void)snprintf(o->first, sizeof(o->first), "no %s was taken: %s%s%.400s",
                       end->lane->artifact->noun, outcome_name(end->outcome),
                       end->text && end->text[0] ? ": " : "", end->text ? end->text : "");
    if (o->batch.left == 0)
        reply_ends(o);
}

enum desk_answer orders_add(struct orders *o, size_t target, const struct pipeline_order *order,
                            struct order **ret)
{
    struct desk_reply reply = batch_order(&o->batch, target, order);
    struct order *one;

    *ret = NULL;
    if (reply.answer == DESK_LIMITED)
        add_limited(o, reply.lane, reply.retry_after);
    else if (reply.answer == DESK_PLACELESS)
        add_placeless(o, targets_at(o->api->context.targets, target));
    if (reply.answer != DESK_TAKEN)
        return reply.answer;
    one = &o->list[o->batch.taken - 1];
    one->awaited = reply.waiter != NULL;
    buf_init(&one->text, API_ORDER_MAX);
    jsonwriter_init(&one->json, &one->text, api_style);
    jsonwriter_object(&one->json, NULL);
    api_put_names(&one->json, reply.lane);
    *ret = one;
    return DESK_TAKEN;
}

static void on_gone(void *userdata, struct admin_call *call)
{
    (void)call;
    orders_free(userdata);
}

static void reply_refused(struct orders *o)
{
    char text[24];
    unsigned long long seconds = (o->batch.retry_after + USEC_PER_SEC - 1) / USEC_PER_SEC;

    if (o->batch.stopping) {
        admin_fail(o->call, 503, "contraced is stopping; ask the one that follows it");
    } else if (o->batch.no_memory) {
        admin_no_memory(o->call);
    } else if (o->batch.limited == 0 && o->batch.placeless > 0) {
        admin_fail(o->call, 400, "job `%s`: where is its %s? %s", o->batch.placeless_job,
                   o->batch.artifact->noun,
                   o->batch.artifact->elsewhere
                       ? "Go serves none by itself: `flight` must say where the service has it"
                       : "`path` does not end in /trace, so profiles_path must say where "
                         "net/http/pprof's profiles are");
    } else {
        (void)snprintf(text, sizeof(text), "%llu", seconds);
        admin_call_header(o->call, "Retry-After", text);
        admin_fail(o->call, 429,
                   "captured too often: a target may be traced on demand for 5%% of the time and"
                   " %llu seconds at once; ask again in %llu s",
                   (unsigned long long)(ALLOWANCE_BURST / USEC_PER_SEC), seconds);
    }
    orders_free(o);
}

/* The reason in the records: "api:TEXT"; NULL without a text. */
static const char *name_of(const struct capture_request *request, char out[static REASON_SIZE])
{
    if (!request->reason)
        return NULL;
    (void)snprintf(out, REASON_SIZE, "api:%s", request->reason);
    return out;
}

static void order_all(struct orders *o, const struct capture_request *request)
{
    struct targets *ts = o->api->context.targets;
    char name[REASON_SIZE];
    const struct pipeline_order order = {.reason = REASON_API,
                                         .name = name_of(request, name),
                                         .window = request->window,
                                         .samples = request->samples};

    for (size_t i = 0; i < targets_count(ts); i++) {
        struct order *one;

        if (!api_is_meant(request, targets_at(ts, i)))
            continue;
        (void)orders_add(o, i, &order, &one);
        if (one && !one->awaited)
            order_end(o, one);
    }
}

/* NULL, or an artifact that is meant and has no window, if there is no other. */
static const struct artifact *snapshot_alone(struct api *a, const struct capture_request *request)
{
    struct targets *ts = a->context.targets;
    const struct artifact *found = NULL;

    for (size_t i = 0; i < targets_count(ts); i++) {
        const struct target *t = targets_at(ts, i);

        if (!api_is_meant(request, t))
            continue;
        found = request->artifact ? request->artifact : target_primary(t)->artifact;
        if (target_window(t->job, found, request->window) > 0)
            return NULL;
    }
    return found;
}

static void run_order(struct api *a, struct admin_call *call, const struct capture_request *request)
{
    struct targets *ts = a->context.targets;
    char name[REASON_SIZE];
    const struct artifact *snapshot = request->window > 0 ? snapshot_alone(a, request) : NULL;
    struct orders *o;
    size_t n = 0;

    for (size_t i = 0; i < targets_count(ts); i++)
        n += api_is_meant(request, targets_at(ts, i));
    if (n == 0) {
        api_reply_not_found(a, call, request);
        return;
    }
    if (request->incident) {
        api_order_incidents(a, call, request, name_of(request, name), n);
        return;
    }
    if (snapshot) {
        admin_fail(call, 400,
                   "a %s is a snapshot and takes no `seconds`, which say how long a trace or a "
                   "profile is to be: leave them out",
                   snapshot->noun);
        return;
    }
    o = orders_new(a, call, n, request->wait);
    if (!o) {
        admin_no_memory(call);
        return;
    }
    o->batch.artifact = request->artifact;
    order_all(o, request);
    if (o->batch.taken == 0)
        reply_refused(o);
    else if (!request->wait)
        reply(o, 202, NULL); /* accepted; the captures follow */
    else if (o->batch.left == 0)
        reply_ends(o);
    else
        admin_call_on_gone(call, on_gone, o);
}

void api_post_capture(void *userdata, struct admin_call *call)
{
    char why[APIREQUEST_WHY_SIZE];
    struct capture_request request;
    size_t n;
    const char *body = admin_call_body(call, &n);
    int r = capture_request_parse(body, n, &request, why);

    if (r == -ENOMEM) {
        admin_no_memory(call);
    } else if (r < 0) {
        admin_fail(call, 400, "%s", why);
    } else {
        run_order(userdata, call, &request);
        capture_request_done(&request);
    }
}
