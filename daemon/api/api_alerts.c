/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Captures that Alertmanager's alerts ask for.
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
#include "daemon/order/addressee.h"

#define WHY_SIZE 512

#define REFUSED_QUIET (1 * USEC_PER_MIN)

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

/* Explains why no target belongs to an alert. */
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

/* Logs alerts without a target, because Alertmanager discards the answer, which tells it, too. */
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

/* The target has no allowance left. Alertmanager discards the answer, so the log has it, too: the
 * first of a notification by name, the number of all at its end. */
static void refuse_target(struct orders *o, const struct alert *alert, const struct target *t,
                          struct jsonwriter *ignored)
{
    ignore(ignored, alert->reason, "%s was captured too often lately", t->shown);
    if (o->too_often++ > 0)
        return;
    log_write(
        LOG_LEVEL_WARN, &(struct log_fields){.service = t->service, .target = t->shown},
        "the alert %s gets neither an incident nor a capture of %s: its allowance is used up, "
        "as it was captured too often lately",
        alert->reason + strlen("alert:"), t->shown);
}

/* Orders an incident of one target that an alert concerns. While the budget allows none, a single
 * capture is better than nothing. */
static void run_target(struct orders *o, const struct alert *alert, size_t target,
                       struct jsonwriter *ignored)
{
    const struct pipeline_order order = {.reason = REASON_ALERT, .name = alert->reason};
    const struct target *t = targets_at(o->api->context.targets, target);
    struct order *one = NULL;

    if (o->batch.seen[target])
        return;
    (void)orders_add_incident(o, target, REASON_ALERT, alert->reason, &one);
    if (one)
        batch_claim(&o->batch, target);
    else if (orders_add(o, target, &order, &one) == DESK_LIMITED)
        refuse_target(o, alert, t, ignored);
    if (!one)
        return;
    jsonwriter_text(&one->json, "alert", alert->reason + strlen("alert:"));
    order_end(o, one);
}

/* Orders captures of all targets that an alert concerns. False: there are none. */
static bool run_alert(struct orders *o, const struct alert *alert, struct jsonwriter *ignored)
{
    struct targets *ts = o->api->context.targets;
    struct addressee whose = {alert->service, alert->job, alert->instance, false, false};
    bool found = false;
    char why[WHY_SIZE];

    addressee_read(&whose, ts);
    for (size_t i = 0; i < targets_count(ts); i++) {
        if (!addressee_is(&whose, targets_at(ts, i)))
            continue;
        found = true;
        run_target(o, alert, i, ignored);
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

    if (o->no_memory || o->batch.no_memory || buf_error(ignored) < 0) {
        admin_no_memory(call);
    } else if (o->batch.stopping) {
        admin_fail(call, 503, "contraced is stopping; send it again");
    } else {
        api_body_init(&body);
        orders_put(o, &body.json);
        jsonwriter_json(&body.json, "ignored", buf_str(ignored));
        api_reply(call, 200, &body);
    }
}

/* Lists in the answer which part of a notification was left out. */
static void ignore_rest(const struct alerts *alerts, bool cut, struct jsonwriter *ignored)
{
    if (cut)
        ignore(ignored, "alert:",
               "%zu more and all behind the first MiB: of a notification %d alerts "
               "are looked at",
               alerts->left_out, ALERTS_MAX);
    else if (alerts->left_out > 0)
        ignore(ignored, "alert:", "%zu more: of a notification %d alerts are looked at",
               alerts->left_out, ALERTS_MAX);
}

static void run_alerts(struct api *a, struct admin_call *call, const struct alerts *alerts)
{
    struct orders *o = orders_new(a, call, targets_count(a->context.targets), false);
    const struct alert *first = NULL;
    size_t unmatched = 0;
    struct jsonwriter w;
    struct buf ignored;

    if (!o) {
        admin_no_memory(call);
        return;
    }
    buf_init(&ignored, ADMIN_REPLIES_MAX);
    jsonwriter_init(&w, &ignored, api_style);
    jsonwriter_array(&w, NULL);
    for (size_t i = 0; i < alerts->n; i++)
        if (!run_alert(o, &alerts->items[i], &w) && unmatched++ == 0)
            first = &alerts->items[i];
    say_unmatched(alerts, unmatched, first);
    if (o->too_often > 1)
        log_warn("%zu targets of a notification of alerts are not captured for want of allowance",
                 o->too_often);
    ignore_rest(alerts, admin_call_is_cut(call), &w);
    jsonwriter_end(&w);
    reply(o, call, &ignored);
    buf_done(&ignored);
    orders_free(o);
}

/* Counts a refused notification, and logs it at most once a minute: Alertmanager discards the
 * answer and may send the same again every few minutes. */
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
