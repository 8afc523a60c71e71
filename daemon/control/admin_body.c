/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The bodies of requests: those that are kept in memory until they are whole, those that stream to
 * their handler, and what is read of those that are refused.
 */

#include <stdio.h>
#include <sys/socket.h>

#include "daemon/control/admin_state.h"

/* Bytes of a refused body that are still read, so that the client gets to read the reply. */
#define DISCARD_MAX (2u << 20)
#define CUT_DISCARD_MAX (ADMIN_CUT_BODY_MAX + DISCARD_MAX)

#define TOO_LARGE 413 /* a number, as libmicrohttpd has renamed its constant */

static size_t body_max(const struct admin_call *call)
{
    return call->route->flags & ADMIN_LONG_BODY ? ADMIN_LONG_BODY_MAX : ADMIN_BODY_MAX;
}

static bool takes_beginning(const struct admin_call *call)
{
    return call->route->flags & ADMIN_CUT_BODY;
}

/* How long a body may be. What is beyond body_max is read but not kept. */
size_t body_come_max(const struct admin_call *call)
{
    return takes_beginning(call) ? ADMIN_CUT_BODY_MAX : body_max(call);
}

size_t body_discard_max(const struct admin_call *call)
{
    return call->route && takes_beginning(call) ? CUT_DISCARD_MAX : DISCARD_MAX;
}

/* Refuses a request. Also tells the route, as the sender may be a program whose answers nobody
 * reads. */
void call_refuse_request(struct admin_call *call, unsigned status, const char *text)
{
    if (call->route && call->route->refused)
        call->route->refused(call->connection->admin->userdata, text);
    admin_fail(call, status, "%s", text);
}

void body_refuse_long(struct admin_call *call)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "the body is longer than %zu KiB",
                   body_come_max(call) >> 10);
    call_refuse_request(call, TOO_LARGE, text);
}

void body_begin_stream(struct admin_call *call, bool asks_first)
{
    struct connection *c = call->connection;

    call->state = CALL_TAKING;
    call->at_once = !asks_first;
    call->until = admin_now(c->admin) + ADMIN_STREAM_TIMEOUT;
    connection_phase(c, PHASE_TAKING);
    call->route->run(c->admin->userdata, call);
    call->at_once = true;
}

/* The connection is suspended while the handler cannot take more. */
static enum MHD_Result take_piece(struct admin_call *call, const char *data, size_t *size)
{
    struct connection *c = call->connection;

    if (call->stream->take(call->stream_userdata, data, *size) == 0 && call->state == CALL_TAKING) {
        call->paused = true;
        MHD_suspend_connection(c->mhd);
        return MHD_YES;
    }
    *size = 0;
    if (call->state == CALL_TAKING)
        c->since = admin_now(c->admin);
    return call->aborted ? MHD_NO : MHD_YES;
}

enum MHD_Result body_take(struct admin_call *call, const char *data, size_t *size)
{
    struct admin *a = call->connection->admin;
    size_t n = *size;

    if (call->state == CALL_TAKING)
        return take_piece(call, data, size);
    *size = 0;
    call->body_seen += n;
    if (call->body_seen > body_discard_max(call))
        return MHD_NO;
    if (call->state != CALL_READING)
        return MHD_YES;
    if (call->body_seen > body_come_max(call)) {
        body_refuse_long(call);
        return MHD_YES;
    }
    if (n > body_max(call) - call->body.len)
        n = body_max(call) - call->body.len;
    if (a->bodies + n > ADMIN_BODIES_MAX) {
        call_refuse_request(call, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "too many requests with long bodies at the same time; send it again");
    } else if (buf_add(&call->body, data, n) < 0) {
        call_answer(call, 0, NULL, NULL);
    } else {
        a->bodies += n;
    }
    return MHD_YES;
}
