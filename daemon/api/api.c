/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/api/api_state.h"
#include "daemon/api/apirequest.h"
#include "daemon/control/page.h"

#define TEXT "text/plain; charset=utf-8"
#define REASONS_MAX 1024
#define DIAG_TEXT_MAX (64u << 10)
#define STORAGE_FAILURES 3 /* in a row, so that one bad moment does not count */

static void reply_text(struct admin_call *call, unsigned status, const char *text)
{
    admin_reply(call, status, TEXT, text, strlen(text));
}

/* Any answer shows that the event loop runs, so there is nothing to check. */
static void get_healthy(void *userdata, struct admin_call *call)
{
    (void)userdata;
    reply_text(call, 200, "ok\n");
}

static void get_ready(void *userdata, struct admin_call *call)
{
    const struct api *a = userdata;
    const struct api_context *c = &a->context;
    unsigned failures = pipeline_storage_failures(c->pipeline);
    char memory[REASONS_MAX];
    struct buf reasons;

    buf_over(&reasons, memory, sizeof(memory));
    if (c->stopping(c->userdata))
        (void)buf_adds(&reasons, "contraced is stopping\n");
    if (failures >= STORAGE_FAILURES)
        (void)buf_addf(&reasons, "the last %u captures could not be stored: the disk failed\n",
                       failures);
    if (spool_refusing(c->spool))
        (void)buf_adds(&reasons, "there is no room for another trace: the disk is full, or see"
                                 " storage.max_bytes and storage.min_free\n");
    if (reasons.len > 0)
        reply_text(call, 503, buf_str(&reasons));
    else
        reply_text(call, 200, "ready\n");
}

/* False: the request has a body, but this route takes none; an error was sent. */
static bool takes_no_body(struct admin_call *call)
{
    char why[APIREQUEST_WHY_SIZE];
    size_t n;
    const char *body = admin_call_body(call, &n);
    int r = empty_request_parse(body, n, why);

    if (r == -ENOMEM)
        admin_no_memory(call);
    else if (r < 0)
        admin_fail(call, 400, "%s", why);
    return r == 0;
}

/* Writes one problem of the configuration as "file:line:column: message". */
static void put_diag(struct jsonwriter *w, const struct diag *d)
{
    struct buf text;

    buf_init(&text, DIAG_TEXT_MAX);
    (void)buf_adds(&text, d->file ? d->file : "contraced");
    if (d->file && d->line > 0)
        (void)buf_addf(&text, ":%u:%u", d->line, d->column);
    (void)buf_addf(&text, ": %s", d->message ? d->message : "not enough memory to say what");
    if (buf_error(&text) < 0)
        buf_fail(w->out, buf_error(&text));
    jsonwriter_text(w, NULL, buf_str(&text));
    buf_done(&text);
}

static void reply_reload_failed(struct admin_call *call, int r, const struct diags *diags)
{
    struct api_body body;

    if (r == -ENOMEM) {
        admin_fail(call, 503,
                   "there is not enough memory to read the configuration; the old one"
                   " stays: try again in a while");
        return;
    }
    if (diags->n == 0) {
        admin_fail(call, 500, "the old configuration stays: %s", strerror(-r));
        return;
    }
    api_body_init(&body);
    jsonwriter_text(&body.json, "error",
                    "the configuration is not good; the old one stays: see details");
    jsonwriter_array(&body.json, "details");
    for (size_t i = 0; i < diags->n; i++)
        put_diag(&body.json, &diags->items[i]);
    jsonwriter_end(&body.json);
    api_reply(call, 400, &body);
}

static void reply_reloaded(struct admin_call *call, size_t targets)
{
    struct api_body body;

    api_body_init(&body);
    jsonwriter_count(&body.json, "targets", targets);
    api_reply(call, 200, &body);
}

static void post_reload(void *userdata, struct admin_call *call)
{
    const struct api *a = userdata;
    const struct api_context *c = &a->context;
    struct diags diags = {0};
    int r;

    if (!takes_no_body(call))
        return;
    if (c->stopping(c->userdata)) {
        admin_fail(call, 503, "contraced is stopping; the next one reads the file anyway");
        return;
    }
    r = c->reload(c->userdata, &diags);
    if (r < 0)
        reply_reload_failed(call, r, &diags);
    else
        reply_reloaded(call, targets_count(c->targets));
    diags_done(&diags);
}

/* Answers with the present state of suspension. */
static void reply_suspension(const struct api *a, struct admin_call *call)
{
    const struct suspension *s = a->context.suspension;
    struct api_body body;
    struct jsonwriter *w = &body.json;

    api_body_init(&body);
    jsonwriter_bool(w, "suspended", suspension_active(s));
    jsonwriter_array(w, "causes");
    for (unsigned i = 0; i < SUSPENSION_CAUSES; i++) {
        enum suspension_cause cause = (enum suspension_cause)i;

        if (suspension_cause(s, cause, NULL, NULL))
            jsonwriter_text(w, NULL, suspension_cause_name(cause));
    }
    jsonwriter_end(w);
    api_reply(call, 200, &body);
}

static void post_suspend(void *userdata, struct admin_call *call)
{
    const struct api *a = userdata;
    char why[APIREQUEST_WHY_SIZE], *reason = NULL;
    size_t n;
    const char *body = admin_call_body(call, &n);
    int r = suspend_request_parse(body, n, &reason, why);

    if (r == -ENOMEM) {
        admin_no_memory(call);
    } else if (r < 0) {
        admin_fail(call, 400, "%s", why);
    } else {
        suspension_api(a->context.suspension, true, reason);
        reply_suspension(a, call);
    }
    free(reason);
}

static void post_resume(void *userdata, struct admin_call *call)
{
    const struct api *a = userdata;

    if (!takes_no_body(call))
        return;
    suspension_api(a->context.suspension, false, NULL);
    reply_suspension(a, call);
}

static void get_metrics(void *userdata, struct admin_call *call)
{
    const struct api_context *c = &((const struct api *)userdata)->context;

    c->metrics(c->userdata, call);
}

static void get_page(void *userdata, struct admin_call *call)
{
    (void)userdata;
    page_reply(call);
}

static const struct admin_route routes[] = {
    {"GET", "/", get_page, ADMIN_OPEN, NULL},
    {"GET", "/metrics", get_metrics, 0, NULL},
    {"GET", "/-/healthy", get_healthy, ADMIN_OPEN, NULL},
    {"GET", "/healthz", get_healthy, ADMIN_OPEN, NULL},
    {"GET", "/-/ready", get_ready, ADMIN_OPEN, NULL},
    {"GET", "/readyz", get_ready, ADMIN_OPEN, NULL},
    {"POST", "/-/reload", post_reload, 0, NULL},
    {"GET", "/api/v1/status", api_get_status, 0, NULL},
    {"GET", "/api/v1/targets", api_get_targets, 0, NULL},
    {"GET", "/api/v1/targets/", api_get_evidence, 0, NULL},
    {"GET", "/api/v1/triggers", api_get_triggers, 0, NULL},
    {"GET", "/api/v1/captures", api_get_captures, 0, NULL},
    {"GET", "/api/v1/captures/", api_get_capture, 0, NULL},
    {"GET", "/api/v1/incidents", api_get_incidents, 0, NULL},
    {"POST", "/api/v1/capture", api_post_capture, 0, NULL},
    {"POST", "/api/v1/alerts", api_post_alerts, ADMIN_LONG_BODY | ADMIN_CUT_BODY,
     api_alerts_refused},
    {"PUT", "/api/v1/push/", api_put_push, ADMIN_STREAM, NULL},
    {"POST", "/api/v1/suspend", post_suspend, 0, NULL},
    {"POST", "/api/v1/resume", post_resume, 0, NULL},
};

const struct admin_route *api_routes(size_t *ret_n)
{
    *ret_n = sizeof(routes) / sizeof(routes[0]);
    return routes;
}

struct api *api_new(const struct api_context *context)
{
    struct api *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->context = *context;
    a->host = strdup(context->host);
    if (!a->host) {
        api_free(a);
        return NULL;
    }
    return a;
}

void api_free(struct api *a)
{
    if (!a)
        return;
    free(a->host);
    free(a);
}
