/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Flight recordings that processes send by PUT: whose they are, and what the sender is told. What is
 * done with their bytes is up to daemon/push.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "daemon/api/api_state.h"
#include "daemon/api/apirequest.h"
#include "daemon/capture/peer.h"
#include "daemon/push/push.h"

#define LABELS_MOST 64 /* as many as a target has */
#define FROM_SIZE (sizeof("push:") + INET6_ADDRSTRLEN)

/* A push that is coming or being published. */
struct sender {
    struct api *api;
    struct admin_call *call;
    struct push *push;
    bool incident; /* it wants one to begin */
};

static void on_resume(void *userdata)
{
    admin_call_resume(((struct sender *)userdata)->call);
}

/* The status for each reason not to keep it. */
static const unsigned statuses[RECEPTION_COUNT] = {
    [RECEPTION_KEPT] = 201,    [RECEPTION_NOT_A_TRACE] = 415, [RECEPTION_TOO_LARGE] = 413,
    [RECEPTION_CUT] = 400,     [RECEPTION_UNKNOWN] = 404,     [RECEPTION_BUSY] = 409,
    [RECEPTION_LIMITED] = 429, [RECEPTION_REFUSED] = 503,     [RECEPTION_FAILED] = 503,
};

static void fail(struct admin_call *call, const struct push_end *end)
{
    admin_fail(call, statuses[end->reception], "the flight recording is not kept: %s", end->text);
}

static void reply_kept(struct admin_call *call, const struct push_end *end, bool incident)
{
    char location[NAME_KEY_MAX + sizeof("/api/v1/captures/")];
    struct api_body body;

    (void)snprintf(location, sizeof(location), "/api/v1/captures/%s", end->key);
    admin_call_header(call, "Location", location);
    api_body_init(&body);
    jsonwriter_text(&body.json, "key", end->key);
    jsonwriter_count(&body.json, "bytes", end->bytes);
    jsonwriter_text(&body.json, "sha256", end->sha256);
    jsonwriter_text(&body.json, "outcome", outcome_name(end->outcome));
    jsonwriter_text(&body.json, "text", end->text);
    if (incident) {
        jsonwriter_text(&body.json, "incident", end->incident);
        jsonwriter_text(&body.json, "no_incident", end->none);
    }
    api_reply(call, 201, &body);
}

static void on_ended(void *userdata, const struct push_end *end)
{
    struct sender *s = userdata;

    if (end->key)
        reply_kept(s->call, end, s->incident);
    else
        fail(s->call, end);
    free(s);
}

static const struct push_handlers handlers = {.resume = on_resume, .ended = on_ended};

static void refuse(struct sender *s)
{
    struct push_end end;

    push_refuse(s->push, &end);
    fail(s->call, &end);
    free(s);
}

static int on_take(void *userdata, const void *data, size_t n)
{
    struct sender *s = userdata;
    int r = push_take(s->push, data, n);

    if (r < 0)
        refuse(s);
    return r;
}

static void on_whole(void *userdata, struct admin_call *call)
{
    struct sender *s = userdata;
    struct push_incident incident = {0};
    char why[PUSH_WHY_SIZE];
    int r = push_judge(s->push);

    (void)call;
    if (r >= 0 && s->incident)
        api_push_incident(s->api, s->push, why, &incident);
    if (r >= 0)
        r = push_publish(s->push, &incident);
    if (r < 0)
        refuse(s);
}

static const struct admin_stream stream = {.take = on_take, .whole = on_whole};

static void on_gone(void *userdata, struct admin_call *call)
{
    struct sender *s = userdata;

    (void)call;
    push_drop(s->push);
    free(s);
}

/* Who may push as this service: its targets, or the job of this name. */
struct owner {
    const struct target *first; /* of its targets; NULL: it has none at present */
    const struct target *at;    /* the one on the sender's host; or NULL */
    const char *job;            /* NULL: there is no such service */
    uint64_t limit;
    struct record_label labels[LABELS_MOST]; /* that all its targets have; borrowed */
    size_t n_labels;
};

static bool has_label(const struct target *t, const struct record_label *l)
{
    for (size_t i = 0; i < t->n_labels; i++) {
        if (strcmp(t->labels[i].name, l->name) == 0)
            return strcmp(t->labels[i].value, l->value) == 0;
    }
    return false;
}

static void add_target(struct owner *o, const struct target *t, const char *address)
{
    size_t kept = 0;

    if (!o->first) {
        o->first = t;
        o->job = t->job->name;
        o->limit = t->job->body_size_limit;
        for (size_t i = 0; i < t->n_labels && i < LABELS_MOST; i++)
            o->labels[o->n_labels++] = (struct record_label){t->labels[i].name, t->labels[i].value};
    }
    if (!o->at && address && strcmp(t->host, address) == 0)
        o->at = t;
    for (size_t i = 0; i < o->n_labels; i++) {
        if (has_label(t, &o->labels[i]))
            o->labels[kept++] = o->labels[i];
    }
    o->n_labels = kept;
}

/* `address`: the sender's, NULL: it is on this machine. */
static void find_owner(struct api *a, const char *service, const char *address, struct owner *o)
{
    const struct api_context *c = &a->context;
    const struct config *config = c->config(c->userdata);

    *o = (struct owner){0};
    for (size_t i = 0; i < targets_count(c->targets); i++) {
        const struct target *t = targets_at(c->targets, i);

        if (strcmp(t->service, service) == 0)
            add_target(o, t, address);
    }
    for (size_t i = 0; i < config->n_jobs && !o->job; i++) {
        if (strcmp(config->jobs[i].name, service) != 0)
            continue;
        o->job = config->jobs[i].name;
        o->limit = config->jobs[i].body_size_limit;
    }
}

/* The address of a sender on another machine as text; NULL: it is on this one. */
static const char *address_of(int fd, bool is_unix, char out[static INET6_ADDRSTRLEN])
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer = {0};
    socklen_t len = sizeof(peer);
    struct in_addr v4;

    if (is_unix || getpeername(fd, &peer.any, &len) < 0)
        return NULL;
    if (peer.any.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&peer.v6.sin6_addr))
        return IN6_IS_ADDR_LOOPBACK(&peer.v6.sin6_addr)
                 ? NULL
                 : inet_ntop(AF_INET6, &peer.v6.sin6_addr, out, INET6_ADDRSTRLEN);
    if (peer.any.sa_family == AF_INET6)
        memcpy(&v4, &peer.v6.sin6_addr.s6_addr[12], sizeof(v4));
    else
        v4 = peer.v4.sin_addr;
    return ntohl(v4.s_addr) >> 24 == 127 ? NULL : inet_ntop(AF_INET, &v4, out, INET6_ADDRSTRLEN);
}

static void refuse_unknown(struct api *a, struct admin_call *call, const char *service)
{
    pushes_refused(a->context.pushes, RECEPTION_UNKNOWN);
    if (*service)
        admin_fail(call, 404,
                   "no service `%.200s` is configured: a push is for the `service` label of a "
                   "target, or for a job_name",
                   service);
    else
        admin_fail(call, 404, "which service? PUT /api/v1/push/SERVICE?reason=TEXT");
}

static void refuse_begin(struct admin_call *call, const char *service, enum reception why,
                         const struct push_offer *offer, usec wait)
{
    char text[PARSE_TEXT_SIZE];
    unsigned long long seconds = (wait + USEC_PER_SEC - 1) / USEC_PER_SEC;

    if (wait > 0 && why != RECEPTION_TOO_LARGE) {
        (void)snprintf(text, sizeof(text), "%llu", seconds);
        admin_call_header(call, "Retry-After", text);
    }
    if (why == RECEPTION_BUSY)
        admin_fail(call, 409, "another recording of `%.200s` is being received", service);
    else if (why == RECEPTION_LIMITED)
        admin_fail(call, 429,
                   "`%.200s` has pushed too often: three recordings at once are taken, then one "
                   "every 40 seconds; again in %llu s",
                   service, seconds);
    else if (why == RECEPTION_TOO_LARGE)
        admin_fail(call, 413, "it is longer than body_size_limit, %s",
                   format_size(offer->limit, text));
    else
        admin_fail(call, 503, "there is no room for a recording now, or contraced is stopping");
}

static bool is_flag(const char *text)
{
    return !text || strcmp(text, "0") == 0 || strcmp(text, "1") == 0;
}

/* False: the request cannot be a push, and was answered. */
static bool check_request(struct admin_call *call, uint64_t *ret_length, const char **ret_reason)
{
    const char *length = admin_call_asked(call, "Content-Length");
    const char *coding = admin_call_asked(call, "Content-Encoding");
    const char *reason = api_query_text(call, "reason");

    *ret_length = length ? strtoull(length, NULL, 10) : 0;
    *ret_reason = reason;
    if (!length && !admin_call_asked(call, "Transfer-Encoding"))
        admin_fail(call, 411, "send Content-Length, or chunks");
    else if (length && *ret_length == 0)
        admin_fail(call, 415, "the body is empty, not a flight recording");
    else if (coding && strcasecmp(coding, "identity") != 0)
        admin_fail(call, 415, "send the recording as it is, without Content-Encoding");
    else if (reason && !apirequest_is_reason(reason))
        admin_fail(call, 400, "`reason` must have 1 to %d printable ASCII characters",
                   APIREQUEST_TEXT_MAX);
    else if (!is_flag(api_query_text(call, "incident")))
        admin_fail(call, 400, "`incident` is 1, to begin an incident, or left out");
    else
        return true;
    return false;
}

static void begin(struct api *a, struct admin_call *call, const struct push_offer *offer)
{
    struct sender *s = calloc(1, sizeof(*s));
    const char *incident = api_query_text(call, "incident");
    enum reception r;
    usec wait;

    if (!s) {
        admin_no_memory(call);
        return;
    }
    s->api = a;
    s->call = call;
    s->incident = incident && strcmp(incident, "1") == 0;
    r = push_begin(a->context.pushes, offer, &handlers, s, &s->push, &wait);
    if (r != RECEPTION_KEPT) {
        free(s);
        refuse_begin(call, offer->service, r, offer, wait);
        return;
    }
    admin_call_on_gone(call, on_gone, s);
    admin_call_take(call, &stream, s);
}

void api_put_push(void *userdata, struct admin_call *call)
{
    struct api *a = userdata;
    const char *service = admin_call_path(call), *asked, *address;
    char reason[sizeof("push:") + APIREQUEST_TEXT_MAX], from[FROM_SIZE], memory[INET6_ADDRSTRLEN];
    struct push_offer offer = {.reason = reason, .from = from, .service = service};
    struct owner owner;
    bool is_unix;
    int fd = admin_call_socket(call, &is_unix);

    if (!check_request(call, &offer.length, &asked))
        return;
    address = address_of(fd, is_unix, memory);
    find_owner(a, service, address, &owner);
    if (!owner.job) {
        refuse_unknown(a, call, service);
        return;
    }
    (void)snprintf(reason, sizeof(reason), "push%s%s", asked ? ":" : "", asked ? asked : "");
    (void)snprintf(from, sizeof(from), "push:%s",
                   is_unix   ? "unix"
                   : address ? address
                             : "localhost");
    offer.pid = is_unix ? peer_of_socket(fd) : 0;
    offer.host = !address ? a->host : owner.at ? owner.at->host : address;
    offer.job = owner.job;
    offer.limit = owner.limit;
    offer.labels = owner.labels;
    offer.n_labels = owner.n_labels;
    begin(a, call, &offer);
}
