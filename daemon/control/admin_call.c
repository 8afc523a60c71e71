/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/control/admin_state.h"
#include "daemon/control/head.h"
#include "lib/net/credentials.h"

#define TOKEN_MAX CREDENTIALS_SECRET_MAX

static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static const char *header(struct MHD_Connection *mhd, const char *name)
{
    return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);
}

const char *admin_call_path(const struct admin_call *call)
{
    return call->rest ? call->rest : "";
}

const char *admin_call_query(const struct admin_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection->mhd, MHD_GET_ARGUMENT_KIND, name);
}

const void *admin_call_body(const struct admin_call *call, size_t *ret_n)
{
    *ret_n = call->body.len;
    return buf_str(&call->body);
}

bool admin_call_is_cut(const struct admin_call *call)
{
    return call->body_seen > call->body.len;
}

void admin_call_on_gone(struct admin_call *call,
                        void (*fn)(void *userdata, struct admin_call *call), void *userdata)
{
    call->gone = fn;
    call->gone_userdata = userdata;
}

static void tell_gone(struct admin_call *call)
{
    void (*gone)(void *userdata, struct admin_call *call) = call->gone;

    call->gone = NULL;
    if (gone)
        gone(call->gone_userdata, call);
}

static bool streams(const struct admin_call *call)
{
    return call->route->flags & ADMIN_STREAM;
}

static bool is_handled(const struct admin_call *call)
{
    return call->state == CALL_SUSPENDED || call->state == CALL_TAKING;
}

void call_abort(struct admin_call *call)
{
    if (!is_handled(call))
        return;
    tell_gone(call);
    call_answer(call, 0, NULL, NULL);
    call_resume(call);
}

void call_refuse(struct admin_call *call, const char *why)
{
    if (!is_handled(call))
        return;
    tell_gone(call);
    admin_fail(call, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", why);
}

void admin_call_take(struct admin_call *call, const struct admin_stream *stream, void *userdata)
{
    call->stream = stream;
    call->stream_userdata = userdata;
}

void admin_call_resume(struct admin_call *call)
{
    call_resume(call);
}

const char *admin_call_asked(const struct admin_call *call, const char *name)
{
    return header(call->connection->mhd, name);
}

int admin_call_socket(const struct admin_call *call, bool *ret_unix)
{
    *ret_unix = call->connection->unix_socket;
    return call->connection->fd;
}

static int on_watch(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
    struct admin_call *call = userdata;

    (void)s;
    (void)fd;
    (void)revents;
    connection_end(call->connection);
    call_abort(call);
    return 0;
}

/* Suspends the connection until the handler answers. Meanwhile the server does not watch it, so a
 * watch of our own tells if the client goes. */
static void wait_for_answer(struct admin_call *call)
{
    struct connection *c = call->connection;

    call->state = CALL_SUSPENDED;
    MHD_suspend_connection(c->mhd);
    if (sd_event_add_io(c->admin->event, &call->watch, c->fd, EPOLLRDHUP, on_watch, call) < 0)
        log_debug("admin endpoint: a client that waits cannot be watched");
}

static bool same_method(const char *route, const char *method)
{
    return strcmp(route, method) == 0 || (strcmp(route, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* The length of the route's path if it matches this path; 0: it does not. */
static size_t match(const struct admin_route *r, const char *path)
{
    size_t n = strlen(r->path);

    if (strcmp(r->path, path) == 0)
        return n;
    return n > 1 && r->path[n - 1] == '/' && strncmp(r->path, path, n) == 0 ? n : 0;
}

/* Finds the longest match. `allowed` gets the methods of routes that match but want another
 * method. */
static const struct admin_route *find_route(const struct admin *a, const char *path,
                                            const char *method, size_t *ret_n, struct buf *allowed)
{
    const struct admin_route *found = NULL;
    size_t best = 0;

    for (size_t i = 0; i < a->n_routes; i++) {
        const struct admin_route *r = &a->routes[i];
        size_t n = match(r, path);

        if (n == 0)
            continue;
        if (!same_method(r->method, method))
            (void)buf_addf(allowed, "%s%s%s", allowed->len > 0 ? ", " : "", r->method,
                           strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
        else if (n > best)
            found = r, best = n;
    }
    *ret_n = best;
    return found;
}

static void say_token(struct admin *a, int r, const char *text)
{
    if (r < 0 && !a->token_failed)
        log_error("web.bearer_token_file: %s: the admin endpoint refuses all that need it", text);
    else if (r == 0 && a->token_failed)
        log_info("web.bearer_token_file can be read again");
    a->token_failed = r < 0;
}

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    head_add(cls, name, value);
    return MHD_YES;
}

static struct guard_verdict judge(const struct admin_call *call, const char *version, bool open,
                                  bool has_body)
{
    struct connection *c = call->connection;
    struct admin *a = c->admin;
    struct guard_verdict verdict;
    struct buf token;
    char text[512] = "";
    struct head head = {.http_1_0 = strcmp(version, MHD_HTTP_VERSION_1_0) == 0};
    bool wanted = a->token_file && !c->unix_socket;
    int r = 0;

    buf_init(&token, TOKEN_MAX);
    if (wanted) {
        r = credentials_read(a->token_file, &token, text, sizeof(text));
        say_token(a, r, text);
    }
    (void)MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, add_header, &head);
    c->last = c->last || head_fault(&head);
    verdict = guard_check(&(struct guard_request){
        .method = call->method,
        .host = header(c->mhd, MHD_HTTP_HEADER_HOST),
        .origin = header(c->mhd, MHD_HTTP_HEADER_ORIGIN),
        .fetch_site = header(c->mhd, "Sec-Fetch-Site"),
        .authorization = header(c->mhd, MHD_HTTP_HEADER_AUTHORIZATION),
        .content_type = header(c->mhd, MHD_HTTP_HEADER_CONTENT_TYPE),
        .fault = head_fault(&head),
        .http_1_1 = !head.http_1_0,
        .has_body = has_body,
        .open = open,
        .unix_socket = c->unix_socket,
        .loopback = c->loopback,
        .token_wanted = wanted,
        .token = wanted && r == 0 ? buf_str(&token) : NULL,
        .token_len = token.len,
    });
    buf_wipe(&token);
    return verdict;
}

static void refuse_method(struct admin_call *call, const char *method, const struct buf *allowed)
{
    admin_call_header(call, MHD_HTTP_HEADER_ALLOW, buf_str(allowed));
    admin_fail(call, MHD_HTTP_METHOD_NOT_ALLOWED, "%s is not for this path: it takes %s", method,
               buf_str(allowed));
}

/* Answers the request here if its head alone is reason to refuse it. */
static void check_head(struct admin_call *call, const char *url, const char *version,
                       uint64_t length, bool has_body)
{
    struct connection *c = call->connection;
    struct guard_verdict verdict;
    char memory[256];
    struct buf allowed;
    size_t n;

    buf_over(&allowed, memory, sizeof(memory));
    call->route = find_route(c->admin, url, call->method, &n, &allowed);
    if (!call->route || streams(call))
        has_body = false; /* nobody reads it, or its handler knows what it takes */
    verdict = judge(call, version, call->route && (call->route->flags & ADMIN_OPEN), has_body);
    if (c->bad_uri) {
        admin_fail(call, MHD_HTTP_BAD_REQUEST, "the path or query has control characters");
    } else if (verdict.status != 0) {
        if (verdict.status == MHD_HTTP_UNAUTHORIZED)
            admin_call_header(call, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"contraced\"");
        call_refuse_request(call, verdict.status, verdict.text);
    } else if (!call->route && allowed.len > 0) {
        refuse_method(call, call->method, &allowed);
    } else if (!call->route) {
        admin_fail(call, MHD_HTTP_NOT_FOUND, "there is nothing at %.200s", url);
    } else if (!streams(call) && length > body_come_max(call)) {
        body_refuse_long(call);
    } else {
        call->rest = strdup(url + n);
        if (!call->rest)
            call_answer(call, 0, NULL, NULL);
    }
    c->bad_uri = false;
}

static enum MHD_Result send_reply(struct admin_call *call)
{
    struct connection *c = call->connection;
    struct MHD_Response *response = steal(&call->response);
    enum MHD_Result r;

    if (!response)
        return MHD_NO;
    connection_send(c, call->bytes);
    r = MHD_queue_response(c->mhd, call->status, response);
    MHD_destroy_response(response);
    return r;
}

static struct admin_call *call_new(struct connection *c, const char *method)
{
    struct admin_call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    call->connection = c;
    call->method = method;
    buf_init(&call->body, ADMIN_LONG_BODY_MAX);
    c->call = call;
    return call;
}

static enum MHD_Result begin(struct connection *c, const char *url, const char *method,
                             const char *version, void **con_cls)
{
    const char *length = header(c->mhd, MHD_HTTP_HEADER_CONTENT_LENGTH);
    bool asks_first = header(c->mhd, MHD_HTTP_HEADER_EXPECT);
    bool chunked = header(c->mhd, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    uint64_t n = length ? strtoull(length, NULL, 10) : 0;
    struct admin_call *call = call_new(c, method);

    if (!call)
        return MHD_NO;
    *con_cls = call;
    check_head(call, url, version, n, chunked || n > 0);
    if (call->state == CALL_READING && streams(call))
        body_begin_stream(call, asks_first);
    if (call->replied)
        return MHD_YES;
    /*
     * A refused body is read all the same, unless it is too long or the client asked first
     * (Expect): closing with unread bytes would reset the connection, and the client might lose the
     * reply. If the head has a fault, it is not certain where the body ends, so no more of it is
     * read.
     */
    if (call->state == CALL_ANSWERED &&
        (call->aborted || c->last || n > body_discard_max(call) || asks_first))
        return send_reply(call);
    return MHD_YES;
}

/* The whole request has arrived, or its connection was resumed. */
static enum MHD_Result run(struct admin_call *call)
{
    struct admin *a = call->connection->admin;

    if (call->state == CALL_READING || call->state == CALL_TAKING) {
        call->state = CALL_RUNNING;
        connection_phase(call->connection, PHASE_WAITING);
        if (call->stream)
            call->stream->whole(call->stream_userdata, call);
        else
            call->route->run(a->userdata, call);
    }
    if (call->state == CALL_ANSWERED)
        return send_reply(call);
    wait_for_answer(call);
    return MHD_YES;
}

enum MHD_Result call_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *size, void **con_cls)
{
    struct connection *c = connection_of(mhd);

    (void)cls;
    if (!c)
        return MHD_NO;
    if (!*con_cls)
        return begin(c, url, method, version, con_cls);
    if (*size > 0)
        return body_take(*con_cls, data, size);
    return run(*con_cls);
}

void call_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                       enum MHD_RequestTerminationCode why)
{
    struct admin_call *call = *con_cls;
    struct connection *c;

    (void)cls;
    (void)mhd;
    (void)why;
    *con_cls = NULL;
    if (!call)
        return;
    c = call->connection;
    log_debug("admin endpoint: %s: %u", call->route ? call->route->path : "refused", call->status);
    if (is_handled(call))
        tell_gone(call);
    c->call = NULL;
    c->used = true;
    sd_event_source_disable_unref(call->watch);
    if (call->response)
        MHD_destroy_response(call->response);
    for (size_t i = 0; i < call->n_headers; i++) {
        free(call->headers[i].name);
        free(call->headers[i].value);
    }
    call->connection->admin->bodies -= call->body.len;
    buf_done(&call->body);
    free(call->rest);
    free(call);
    connection_phase(c, PHASE_READING);
    if (c->last)
        connection_end(c);
}

/* Sends the reply directly: the library has no memory for so many arguments, and then none for a
 * reply either. */
static void refuse_arguments(struct connection *c)
{
    static const char body[] = "{\"error\":\"the query has too many arguments\"}";
    char reply[512];
    int n = snprintf(reply, sizeof(reply),
                     "HTTP/1.1 414 URI Too Long\r\nContent-Type: " CALL_JSON_TYPE "\r\n"
                     "Content-Length: %zu\r\nCache-Control: no-store\r\n"
                     "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s",
                     sizeof(body) - 1, body);

    (void)send(c->fd, reply, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
    connection_end(c);
}

/* Called for the first line of a request. On a kept-alive connection the request's time begins
 * here. */
void *call_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct connection *c = connection_of(mhd);

    (void)cls;
    if (c && c->used)
        connection_phase(c, PHASE_READING);
    if (c && head_many_arguments(uri))
        refuse_arguments(c);
    return NULL;
}

/* Notes control characters in paths and queries, so that no handler sees any, nor a zero byte that
 * would hide the rest of a text. */
size_t call_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
    struct connection *c = connection_of(mhd);
    size_t n = MHD_http_unescape(text);

    (void)cls;
    for (size_t i = 0; i < n && c; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            c->bad_uri = true;
    }
    return n;
}
