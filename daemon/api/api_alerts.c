/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Captures that alerts ask for: whose targets an alert's labels name.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "daemon/api/alerts.h"
#include "daemon/api/api_state.h"

#define WHY_SIZE 512

#define HOST_SIZE 256

#define REFUSED_QUIET (1 * USEC_PER_MIN)

/* The host of "host:port", "[v6]:port" or "host". False: there is none, or it is too long. */
static bool host_of(const char *address, char host[static HOST_SIZE])
{
    const char *end = strrchr(address, ':');
    size_t n;

    if (strncmp(address, "unix:", 5) == 0)
        return false;
    if (*address == '[') {
        address++;
        end = strchr(address, ']');
    }
    n = end ? (size_t)(end - address) : strlen(address);
    if (n == 0 || n >= HOST_SIZE)
        return false;
    memcpy(host, address, n);
    host[n] = '\0';
    return true;
}

/* Another port of the same host, or this machine by its name where we say 127.0.0.1. */
static bool same_host(const struct target *t, const char *instance)
{
    char theirs[HOST_SIZE], ours[HOST_SIZE];

    if (!host_of(instance, theirs))
        return false;
    return strcmp(theirs, t->host) == 0 || (host_of(t->address, ours) && strcmp(theirs, ours) == 0);
}

/*
 * How an alert's labels are read, by what is configured. `service` counts if there is such a
 * service (it may have a meaning of its own in Prometheus), else `job`. `instance` is where
 * Prometheus scrapes: the target's address if there is such a one, else its host.
 */
struct reading {
    const struct alert *alert;
    bool by_service, exact;
};

static bool is_theirs(const struct reading *r, const struct target *t)
{
    const char *job = r->alert->job;

    if (r->by_service)
        return strcmp(r->alert->service, t->service) == 0;
    return job && (strcmp(job, t->job->name) == 0 || strcmp(job, t->service) == 0);
}

static bool concerns(const struct reading *r, const struct target *t)
{
    const char *instance = r->alert->instance;

    if (!is_theirs(r, t))
        return false;
    return !instance || (r->exact ? strcmp(instance, t->address) == 0 : same_host(t, instance));
}

static struct reading read_labels(struct targets *ts, const struct alert *alert)
{
    struct reading r = {.alert = alert};

    for (size_t i = 0; alert->service && i < targets_count(ts) && !r.by_service; i++)
        r.by_service = strcmp(targets_at(ts, i)->service, alert->service) == 0;
    for (size_t i = 0; alert->instance && i < targets_count(ts) && !r.exact; i++)
        r.exact = is_theirs(&r, targets_at(ts, i)) &&
                  strcmp(targets_at(ts, i)->address, alert->instance) == 0;
    return r;
}

static void ignore(struct jsonwriter *ignored, const char *alert, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void ignore(struct jsonwriter *ignored, const char *alert, const char *fmt, ...)
{
    char why[WHY_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    jsonwriter_object(ignored, NULL);
    jsonwriter_text(ignored, "alert", alert + strlen("alert:"));
    jsonwriter_text(ignored, "why", why);
    jsonwriter_end(ignored);
}

/* Why nobody is meant by an alert. */
static void explain_unknown(const struct alert *alert, char why[static WHY_SIZE])
{
    char where[128] = "";

    if (alert->instance)
        (void)snprintf(where, sizeof(where), " at `%.100s`", alert->instance);
    if (!alert->service && !alert->job)
        (void)snprintf(why, WHY_SIZE, "it has neither a label `service` nor `job`");
    else
        (void)snprintf(why, WHY_SIZE, "no target is configured of the %s `%.100s`%s",
                       alert->service ? "service" : "job",
                       alert->service ? alert->service : alert->job, where);
}

/* Nobody is told by an answer that Alertmanager throws away. */
static void say_unmatched(const struct alerts *alerts, size_t unmatched, const struct alert *first)
{
    char why[WHY_SIZE];

    if (unmatched == 0)
        return;
    explain_unknown(first, why);
    log_write(unmatched == alerts->n ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, NULL,
              "%zu of %zu alerts of a notification have no target; the first, %s: %s", unmatched,
              alerts->n, first->reason + strlen("alert:"), why);
}

/* `taken[i]`: target i was captured for another alert of this notification. False: it is nobody's. */
static bool run_alert(struct orders *o, const struct alert *alert, bool *taken,
                      struct jsonwriter *ignored)
{
    struct targets *ts = o->api->context.targets;
    struct pipeline_order order = {.reason = REASON_ALERT, .name = alert->reason};
    const struct reading reading = read_labels(ts, alert);
    bool found = false;
    char why[WHY_SIZE];

    for (size_t i = 0; i < targets_count(ts); i++) {
        struct target *t = targets_at(ts, i);
        size_t limited = o->n_limited;
        struct order *one;

        if (!concerns(&reading, t))
            continue;
        found = true;
        if (taken[i])
            continue;
        taken[i] = true;
        one = orders_add(o, t, &order);
        if (one) {
            jsonwriter_text(&one->json, "alert", alert->reason + strlen("alert:"));
            order_end(one);
        } else if (o->n_limited > limited) {
            ignore(ignored, alert->reason, "%s was captured too often lately", t->shown);
        }
    }
    if (!found) {
        explain_unknown(alert, why);
        ignore(ignored, alert->reason, "%s", why);
    }
    return found;
}

static void reply(struct orders *o, struct admin_call *call, const struct buf *ignored)
{
    struct api_body body;

    if (o->no_memory || buf_error(ignored) < 0) {
        admin_no_memory(call);
    } else if (o->stopping) {
        admin_fail(call, 503, "contraced is stopping; send it again");
    } else {
        api_body_init(&body);
        orders_put(o, &body.json);
        jsonwriter_json(&body.json, "ignored", buf_str(ignored));
        api_reply(call, 200, &body);
    }
}

static void run_alerts(struct api *a, struct admin_call *call, const struct alerts *alerts)
{
    size_t n = targets_count(a->context.targets) + 1;
    struct orders *o = orders_new(a, call, n, false);
    bool *taken = calloc(n, sizeof(*taken));
    const struct alert *first = NULL;
    size_t unmatched = 0;
    struct jsonwriter w;
    struct buf ignored;

    buf_init(&ignored, ADMIN_REPLIES_MAX);
    jsonwriter_init(&w, &ignored, api_style);
    jsonwriter_array(&w, NULL);
    for (size_t i = 0; o && taken && i < alerts->n; i++)
        if (!run_alert(o, &alerts->items[i], taken, &w) && unmatched++ == 0)
            first = &alerts->items[i];
    say_unmatched(alerts, unmatched, first);
    if (admin_call_is_cut(call))
        ignore(&w, "alert:",
               "%zu more and all behind the first MiB: of a notification %d alerts "
               "are looked at",
               alerts->left_out, ALERTS_MAX);
    else if (alerts->left_out > 0)
        ignore(&w, "alert:", "%zu more: of a notification %d alerts are looked at",
               alerts->left_out, ALERTS_MAX);
    jsonwriter_end(&w);
    if (o && taken)
        reply(o, call, &ignored);
    else
        admin_no_memory(call);
    buf_done(&ignored);
    free(taken);
    orders_free(o);
}

/* Alertmanager throws the answer away, and may send the same again every few minutes. */
void api_alerts_refused(void *userdata, const char *why)
{
    struct api *a = userdata;
    usec now = loop_now(a->context.event, CLOCK_BOOTTIME);

    a->context.counters->alerts_refused++;
    if (a->refused_said != 0 && now - a->refused_said < REFUSED_QUIET)
        return;
    a->refused_said = now;
    log_warn("a notification of alerts was refused: %s", why);
}

void api_post_alerts(void *userdata, struct admin_call *call)
{
    char why[APIREQUEST_WHY_SIZE];
    struct alerts alerts;
    size_t n;
    const char *body = admin_call_body(call, &n);
    int r = alerts_parse(body, n, admin_call_is_cut(call), &alerts, why);

    if (r == -ENOMEM) {
        admin_no_memory(call);
    } else if (r < 0) {
        api_alerts_refused(userdata, why);
        admin_fail(call, 400, "%s", why);
    } else {
        run_alerts(userdata, call, &alerts);
        alerts_done(&alerts);
    }
}
