/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Captures on demand: who is meant, whether the allowance has room for it, and, for those who wait,
 * what came of it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/api_state.h"
#include "daemon/control/apirequest.h"

#define HINT_MAX 300 /* bytes of what a message lists */
#define REASON_SIZE (sizeof("api:") + APIREQUEST_TEXT_MAX)

/* One that is waited for. */
struct order {
    struct orders *all;
    struct pipeline_wish *wish; /* NULL: it has ended */
    json_t *object;             /* in `captures` */
};

void orders_free(struct orders *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->n; i++)
        pipeline_forget(o->orders[i].wish);
    free(o->orders);
    json_decref(o->captures);
    json_decref(o->limited);
    free(o);
}

struct orders *orders_new(struct api *a, struct admin_call *call)
{
    struct orders *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    *o = (struct orders){
        .api = a, .call = call, .captures = json_array(), .retry_after = USEC_NEVER};
    if (!o->captures) {
        orders_free(o);
        return NULL;
    }
    return o;
}

static void add_limited(struct orders *o, const struct target *t, usec wait)
{
    json_t *object = api_target_names(t);

    if (wait < o->retry_after)
        o->retry_after = wait;
    if (!o->limited)
        o->limited = json_array();
    if (!object || json_object_set_new(object, "retry_after_seconds", api_seconds(wait)) < 0 ||
        json_array_append(o->limited, object) < 0)
        o->no_memory = true;
    json_decref(object);
}

bool orders_add(struct orders *o, struct target *t, const struct pipeline_order *order,
                struct pipeline_wish **ret)
{
    struct api *a = o->api;
    usec adds = pipeline_adds(t, order->window);
    usec now = api_now(a, CLOCK_BOOTTIME), wait = 0;
    uint64_t id = allowance_id(t->job->name, t->address);
    int r;

    if (adds > 0)
        wait = allowance_wait(&a->allowance, id, adds, now);
    if (wait > 0) {
        add_limited(o, t, wait);
        return false;
    }
    r = pipeline_capture(a->context.pipeline, t, order, ret);
    o->stopping = o->stopping || r == -ESHUTDOWN;
    o->no_memory = o->no_memory || r == -ENOMEM;
    if (r < 0)
        return false;
    if (adds > 0)
        (void)allowance_take(&a->allowance, id, adds, now);
    if (json_array_append_new(o->captures, api_target_names(t)) < 0)
        o->no_memory = true;
    return true;
}

static bool describe_end(json_t *o, const struct pipeline_end *end)
{
    json_t *more =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "outcome", outcome_name(end->outcome), "text",
                  api_text(end->text), "key", api_text(end->key), "bytes", api_number(end->bytes),
                  "start", api_time(end->start), "seconds", api_seconds(end->window));
    bool ok = o && more && json_object_update(o, more) == 0;

    json_decref(more);
    return ok;
}

/* The first text says more than that all failed. */
static json_t *all_failed(struct orders *o)
{
    const json_t *first = json_array_get(o->captures, 0);
    const char *outcome = json_string_value(json_object_get(first, "outcome"));
    const char *text = json_string_value(json_object_get(first, "text"));
    char error[512];

    (void)snprintf(error, sizeof(error), "no trace was taken: %s%s%.400s", outcome ? outcome : "",
                   text && text[0] ? ": " : "", text ? text : "");
    return json_pack("{s:o, s:O}", "error", api_text(error), "captures", o->captures);
}

/* All have ended, or there was nothing to wait for. Frees the orders. */
static void reply_ends(struct orders *o)
{
    json_t *body = NULL;
    const struct api_context *c = &o->api->context;
    unsigned status = o->published > 0 ? 200 : c->stopping(c->userdata) ? 503 : 502;

    if (!o->no_memory) {
        body = o->published > 0 ? json_pack("{s:O}", "captures", o->captures) : all_failed(o);
        if (body && o->limited && json_object_set(body, "limited", o->limited) < 0) {
            json_decref(body);
            body = NULL;
        }
    }
    api_reply(o->call, status, body);
    orders_free(o);
}

static void on_ended(void *userdata, const struct pipeline_end *end)
{
    struct order *one = userdata;
    struct orders *o = one->all;

    one->wish = NULL;
    if (!describe_end(one->object, end))
        o->no_memory = true;
    o->published += outcome_published(end->outcome);
    if (--o->left == 0)
        reply_ends(o);
}

static void on_gone(void *userdata, struct admin_call *call)
{
    (void)call;
    orders_free(userdata);
}

static bool meant(const struct capture_request *r, const struct target *t)
{
    switch (r->scope) {
    case CAPTURE_TARGET: return api_target_is(t, r->name);
    case CAPTURE_SERVICE: return strcmp(r->name, t->service) == 0;
    case CAPTURE_JOB: return strcmp(r->name, t->job->name) == 0;
    case CAPTURE_ALL: return true;
    }
    return false;
}

static const char *word_of(const struct capture_request *r, const struct target *t)
{
    return r->scope == CAPTURE_TARGET ? t->shown
         : r->scope == CAPTURE_JOB    ? t->job->name
                                      : t->service;
}

/* "no service `x`; there are a, b, …" */
static void reply_not_found(struct api *a, struct admin_call *call, const struct capture_request *r)
{
    static const char *const kinds[] = {"target", "service", "job", "target"};
    struct targets *ts = a->context.targets;
    const char *before = NULL;
    struct buf list;

    buf_init(&list, HINT_MAX);
    for (size_t i = 0; i < targets_count(ts); i++) {
        const char *word = word_of(r, targets_at(ts, i));

        if (before && strcmp(before, word) == 0)
            continue;
        if (buf_addf(&list, "%s%s", before ? ", " : "", word) < 0) {
            (void)buf_adds(&list, ", …");
            break;
        }
        before = word;
    }
    if (targets_count(ts) == 0)
        admin_fail(call, 404, "there are no targets yet: they are found by file_sd_configs");
    else
        admin_fail(call, 404, "no %s `%s` is configured; there is %s", kinds[r->scope], r->name,
                   buf_str(&list));
    buf_done(&list);
}

static void reply_refused(struct orders *o)
{
    char text[24];
    unsigned long long seconds = (o->retry_after + USEC_PER_SEC - 1) / USEC_PER_SEC;

    if (o->stopping) {
        admin_fail(o->call, 503, "contraced is stopping; ask the one that follows it");
    } else if (o->no_memory) {
        api_reply_no_memory(o->call);
    } else {
        (void)snprintf(text, sizeof(text), "%llu", seconds);
        admin_call_header(o->call, "Retry-After", text);
        admin_fail(o->call, 429,
                   "captured too often: a target may be traced on demand for 5%% of the time and"
                   " %llu seconds at once; ask again in %llu seconds",
                   (unsigned long long)(ALLOWANCE_BURST / USEC_PER_SEC), seconds);
    }
    orders_free(o);
}

/* Accepted, and on its way. */
static void reply_ordered(struct orders *o)
{
    json_t *body = json_pack("{s:O}", "captures", o->captures);

    if (body && o->limited && json_object_set(body, "limited", o->limited) < 0) {
        json_decref(body);
        body = NULL;
    }
    api_reply(o->call, 202, body);
    orders_free(o);
}

static void order_one(struct orders *o, struct target *t, struct pipeline_order *order)
{
    struct order *one = o->orders ? &o->orders[o->n] : NULL;
    struct pipeline_wish *wish = NULL;
    size_t place = json_array_size(o->captures);

    order->fn = one ? on_ended : NULL;
    order->userdata = one;
    if (!orders_add(o, t, order, one ? &wish : NULL) || !wish)
        return;
    *one = (struct order){o, wish, json_array_get(o->captures, place)};
    o->n++;
    o->left++;
}

static void order_all(struct orders *o, const struct capture_request *request)
{
    struct targets *ts = o->api->context.targets;
    char name[REASON_SIZE];
    struct pipeline_order order = {.reason = REASON_API, .window = request->window};

    if (request->reason) {
        (void)snprintf(name, sizeof(name), "api:%s", request->reason);
        order.name = name;
    }
    for (size_t i = 0; i < targets_count(ts); i++) {
        if (meant(request, targets_at(ts, i)))
            order_one(o, targets_at(ts, i), &order);
    }
}

static void run_order(struct api *a, struct admin_call *call, const struct capture_request *request)
{
    struct targets *ts = a->context.targets;
    struct orders *o;
    size_t n = 0;

    for (size_t i = 0; i < targets_count(ts); i++)
        n += meant(request, targets_at(ts, i));
    if (n == 0) {
        reply_not_found(a, call, request);
        return;
    }
    o = orders_new(a, call);
    if (o && request->wait)
        o->orders = calloc(n, sizeof(*o->orders));
    if (!o || (request->wait && !o->orders)) {
        orders_free(o);
        api_reply_no_memory(call);
        return;
    }
    order_all(o, request);
    if (json_array_size(o->captures) == 0)
        reply_refused(o);
    else if (!request->wait)
        reply_ordered(o);
    else if (o->left == 0)
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
        api_reply_no_memory(call);
    } else if (r < 0) {
        admin_fail(call, 400, "%s", why);
    } else {
        run_order(userdata, call, &request);
        capture_request_done(&request);
    }
}
