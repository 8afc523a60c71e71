/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "daemon/capture/intake.h"
#include "lib/config/flight.h"
#include "lib/net/credentials.h"
#include "lib/net/redact.h"

/* How long connecting and the TLS handshake may take. */
#define CONNECT_TIMEOUT (5 * USEC_PER_SEC)

struct capture {
    struct http_request *request;
    const struct capture_handlers *handlers;
    void *userdata;
    struct intake intake;
    usec window;           /* of the request */
    bool own_path;         /* the artifact's, in the configuration */
    bool stopped;          /* by capture_stop */
    struct redact secrets; /* in the request; the answer may repeat them */
};

static void on_connected(void *userdata)
{
    struct capture *c = userdata;

    if (c->handlers->connected)
        c->handlers->connected(c->userdata, peer_of_socket(http_socket(c->request)));
}

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct capture *c = userdata;
    int r;

    if (http_status(c->request) != 200)
        return intake_look(&c->intake, data, n) ? (ssize_t)n : HTTP_ABORT;
    r = intake_take(&c->intake, data, n);
    return r > 0 ? (ssize_t)n : r == 0 ? HTTP_PAUSE : HTTP_ABORT;
}

static void capture_free(struct capture *c)
{
    intake_done(&c->intake);
    redact_done(&c->secrets);
    free(c);
}

static void finish(struct capture *c, const struct http_result *h)
{
    const struct capture_handlers *handlers = c->handlers;
    void *userdata = c->userdata;
    struct capture_result result;

    intake_judge(&c->intake,
                 &(struct evidence){
                     .http = h,
                     .secrets = &c->secrets,
                     .window = c->window,
                     .own_path = c->own_path,
                     .stopped = c->stopped,
                 },
                 &result);
    capture_free(c);
    handlers->finished(userdata, &result);
}

static void on_finished(void *userdata, const struct http_result *h)
{
    finish(userdata, h);
}

static const struct http_handlers http_handlers = {
    .connected = on_connected,
    .body = on_body,
    .finished = on_finished,
};

static struct capture *capture_new(const struct lane *l, usec window, int fd, uint64_t room,
                                   const struct capture_handlers *handlers, void *userdata)
{
    struct capture *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    redact_init(&c->secrets);
    c->handlers = handlers;
    c->userdata = userdata;
    c->window = window;
    c->own_path = l->target->job->own_paths & 1u << l->artifact->kind;
    if (intake_init(&c->intake, l->artifact, fd, l->target->job->body_size_limit, room,
                    handlers->grow, userdata) < 0) {
        redact_done(&c->secrets);
        free(c);
        return NULL;
    }
    return c;
}

/* The first `n` headers of the job's flight recordings. */
static void headers_of(const struct flight_config *flight, struct http_header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        headers[i] = (struct http_header){flight->headers[i].name, flight->headers[i].value};
}

/* The request's options, without the URL and the headers themselves. */
static struct http_options options_of(const struct lane *l, usec window)
{
    const struct target *t = l->target;
    const struct target_job *j = t->job;
    usec timeout = window > j->window ? j->timeout + (window - j->window) : j->timeout;

    return (struct http_options){
        .method = l->artifact->elsewhere && j->flight.post ? "POST" : "GET",
        .n_headers = l->artifact->elsewhere ? j->flight.n_headers : 0,
        .unix_path = t->unix_path,
        .tls = j->access.tls,
        .proxy = &j->access.proxy,
        .connect_timeout = timeout < CONNECT_TIMEOUT ? timeout : CONNECT_TIMEOUT,
        .timeout = timeout,
    };
}

int capture_start(struct http *http, const struct lane *l, usec window, int fd, uint64_t room,
                  const struct capture_handlers *handlers, void *userdata, struct capture **ret,
                  struct capture_result *ret_failure)
{
    const struct target *t = l->target;
    struct http_options options = options_of(l, window);
    struct http_header headers[FLIGHT_HEADERS_MAX];
    struct capture_result failure = {.outcome = OUTCOME_CREDENTIALS};
    _cleanup_free_ char *url = target_request(l, window);
    struct buf authorization;
    struct capture *c = NULL;
    int r;

    credentials_init(&authorization);
    r = credentials_header(&t->job->access.auth, &authorization, failure.text,
                           sizeof(failure.text));
    if (r == 0) {
        failure.outcome = OUTCOME_RESOURCES;
        options.url = url;
        headers_of(&t->job->flight, headers, options.n_headers);
        options.headers = headers;
        if (authorization.len > 0)
            options.authorization = buf_str(&authorization);
        c = url ? capture_new(l, window, fd, room, handlers, userdata) : NULL;
        r = c ? redact_request(&c->secrets, &options) : -ENOMEM;
        if (r == 0)
            r = http_start(http, &options, &http_handlers, c, &c->request);
        (void)snprintf(failure.text, sizeof(failure.text), "cannot start the request: %s",
                       strerror(-r));
    }
    buf_wipe(&authorization);
    if (r < 0) {
        if (c)
            capture_free(c);
        *ret_failure = failure;
        return r;
    }
    *ret = c;
    return 0;
}

void capture_room(struct capture *c, uint64_t room, int r)
{
    intake_room(&c->intake, room, r);
    http_resume(c->request);
}

uint64_t capture_received(const struct capture *c)
{
    return c->intake.written;
}

void capture_stop(struct capture *c, const char *why)
{
    const struct http_result h = {.error = HTTP_ABORTED, .status = http_status(c->request)};

    http_cancel(c->request);
    c->stopped = true;
    intake_cut(&c->intake, why);
    finish(c, &h);
}
