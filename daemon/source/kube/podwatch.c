/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/podwatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "daemon/source/kube/podwatch_state.h"
#include "lib/net/credentials.h"

#define URL_MAX (16u << 10)
#define CONNECT_TIMEOUT (10 * USEC_PER_SEC)
#define LIST_TIMEOUT (2 * USEC_PER_MIN)
#define LIST_STALL (30 * USEC_PER_SEC)
/* A bookmark comes about each minute. Without one the connection may be dead without a word. */
#define WATCH_STALL (3 * USEC_PER_MIN)
#define WATCH_GRACE (30 * USEC_PER_SEC)

/* A watch that is cut now and then is not worth a word. */
#define FAILURES_SAID 3
/* A version that has expired is usual after an outage; a server that knows none is not. */
#define EXPIRIES_SAID 10

static int send_request(struct podwatch *w, const char *url, const char *authorization,
                        uint64_t random)
{
    bool listing = w->follow.step == FOLLOW_LIST;
    const struct http_header accept = {"Accept", "application/json"};
    const struct http_options o = {
        .url = url,
        .headers = &accept,
        .n_headers = 1,
        .keep = true,
        .authorization = authorization,
        .proxy = &w->access.proxy,
        .tls = w->access.tls,
        .connect_timeout = CONNECT_TIMEOUT,
        .timeout = listing ? LIST_TIMEOUT : follow_watch_time(random) + WATCH_GRACE,
        .stall_timeout = listing ? LIST_STALL : WATCH_STALL,
    };
    int r = redact_request(&w->secrets, &o);

    return r < 0 ? r : http_start(w->http, &o, &podwatch_handlers, w, &w->request);
}

static int make_request(struct podwatch *w)
{
    const struct follow_scope scope = {w->namespace, w->label, w->field};
    uint64_t random = random_next(&w->random);
    struct buf url, header;
    int r;

    buf_init(&url, URL_MAX);
    credentials_init(&header);
    podwatch_read_begin(w);
    redact_init(&w->secrets);
    r = buf_adds(&url, w->server);
    if (r == 0)
        r = follow_request(&w->follow, &scope, random, &url);
    if (r == 0)
        r = credentials_header(&w->access.auth, &header, w->text, sizeof(w->text));
    if (r == 0)
        r = send_request(w, buf_str(&url), header.len > 0 ? buf_str(&header) : NULL, random);
    if (r < 0 && !w->text[0])
        (void)snprintf(w->text, sizeof(w->text), "%s", strerror(-r));
    buf_done(&url);
    buf_wipe(&header);
    return r;
}

static const char *advice(const struct podwatch *w)
{
    switch (w->end.status) {
    case 401: return " (the token is not, or no longer, valid)";
    case 403: return " (a Role or ClusterRole must allow get, list and watch of pods)";
    default: return "";
    }
}

/* Whether the failure is worth a word now. */
static bool is_said(const struct podwatch *w)
{
    bool refused = w->end.status == 401 || w->end.status == 403;
    bool expired = w->end.status == 410 || w->end.too_large;

    if (!w->text[0] || w->failing)
        return false;
    if (expired)
        return w->follow.failures >= EXPIRIES_SAID;
    return !w->synced || refused || w->follow.failures >= FAILURES_SAID;
}

static void say_failing(struct podwatch *w, usec wait)
{
    char stay[64] = "";

    if (!is_said(w)) {
        log_debug("kubernetes: %s: %s", w->name, w->text);
        return;
    }
    w->failing = true;
    if (w->synced)
        (void)snprintf(stay, sizeof(stay), "; the %zu that are known stay", podset_count(w->pods));
    log_warn("kubernetes: %s cannot be followed at %s: %s%s%s; will retry in %.1fs", w->name,
             w->server, w->text, advice(w), stay, (double)wait / (double)USEC_PER_SEC);
}

static void arm(struct podwatch *w, usec wait)
{
    if (sd_event_source_set_time_relative(w->timer, wait) < 0 ||
        sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT) < 0)
        log_error("kubernetes: %s are not followed any more: no timer", w->name);
}

static void next(struct podwatch *w, bool turned)
{
    usec wait = 0;

    podwatch_read_done(w);
    if (!turned) {
        wait = follow_ended(&w->follow, &w->end, random_next(&w->random));
        say_failing(w, wait);
    } else if (w->follow.step == FOLLOW_WATCH) {
        podwatch_read_works(w);
    }
    arm(w, wait);
}

static int on_timer(sd_event_source *s, uint64_t now, void *userdata)
{
    struct podwatch *w = userdata;

    (void)s;
    (void)now;
    if (make_request(w) < 0)
        next(w, false);
    return 0;
}

static char *name_of(const struct podwatch_scope *scope)
{
    char *name;
    int n;

    if (scope->namespace[0])
        n = asprintf(&name, "pods of namespace %s", scope->namespace);
    else
        n = asprintf(&name, "pods of the cluster");
    return n < 0 ? NULL : name;
}

static char *copy(const char *text, bool *failed)
{
    char *c = text ? strdup(text) : NULL;

    *failed = *failed || (text && !c);
    return c;
}

int podwatch_new(sd_event *event, struct http *http, const struct podwatch_scope *scope,
                 uint64_t random, void (*changed)(void *userdata), void *userdata,
                 struct podwatch **ret)
{
    struct podwatch *w = calloc(1, sizeof(*w));
    bool failed = false;
    int r;

    if (!w)
        return -ENOMEM;
    w->event = event;
    w->http = http;
    w->changed = changed;
    w->userdata = userdata;
    w->random = random;
    w->next = next;
    follow_init(&w->follow);
    redact_init(&w->secrets);
    w->server = copy(scope->server, &failed);
    w->namespace = copy(scope->namespace, &failed);
    w->label = copy(scope->label, &failed);
    w->field = copy(scope->field, &failed);
    w->name = name_of(scope);
    w->pods = podset_new();
    r = failed || !w->name || !w->pods ? -ENOMEM : access_copy(scope->access, &w->access);
    if (r == 0)
        r = sd_event_add_time_relative(event, &w->timer, CLOCK_BOOTTIME, 0, USEC_PER_MSEC, on_timer,
                                       w);
    if (r < 0) {
        podwatch_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

void podwatch_free(struct podwatch *w)
{
    if (!w)
        return;
    http_cancel(w->request);
    podwatch_read_done(w);
    sd_event_source_disable_unref(w->timer);
    follow_done(&w->follow);
    podset_free(w->pods);
    access_done(&w->access);
    free(w->name);
    free(w->server);
    free(w->namespace);
    free(w->label);
    free(w->field);
    free(w);
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_access(const struct access *a, const struct access *b)
{
    return same(a->auth.basic_username, b->auth.basic_username) &&
           same(a->auth.basic_password_file, b->auth.basic_password_file) &&
           same(a->auth.type, b->auth.type) &&
           same(a->auth.credentials_file, b->auth.credentials_file) &&
           same(a->tls.ca_file, b->tls.ca_file) && same(a->tls.cert_file, b->tls.cert_file) &&
           same(a->tls.key_file, b->tls.key_file) && same(a->tls.server_name, b->tls.server_name) &&
           a->tls.insecure_skip_verify == b->tls.insecure_skip_verify &&
           same(a->proxy.url, b->proxy.url) && same(a->proxy.no_proxy, b->proxy.no_proxy) &&
           a->proxy.from_environment == b->proxy.from_environment;
}

bool podwatch_is(const struct podwatch *w, const struct podwatch_scope *scope)
{
    return same(w->server, scope->server) && same(w->namespace, scope->namespace) &&
           same(w->label, scope->label) && same(w->field, scope->field) &&
           same_access(&w->access, scope->access);
}

struct podset *podwatch_pods(struct podwatch *w)
{
    return w->pods;
}
