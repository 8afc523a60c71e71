/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/jsonwriter.h"
#include "daemon/control/admin_state.h"

#define ERROR_MAX 2048
#define ERROR_JSON_SIZE (6 * ERROR_MAX + 32) /* each byte as \u00XX */

#define HEAD_SIZE 2048 /* of a reply that is sent at once */

#define CSP "Content-Security-Policy"

static const struct {
    const char *name, *value;
} common[] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
};

static bool add(struct admin_call *call, const char *name, const char *value)
{
    return MHD_add_response_header(call->response, name, value) == MHD_YES;
}

/* Adds all headers. False: one of them could not be added. */
static bool set_headers(struct admin_call *call, const char *type)
{
    struct connection *c = call->connection;
    bool own_csp = false, ok = !call->no_memory && add(call, MHD_HTTP_HEADER_CONTENT_TYPE, type);

    for (size_t i = 0; ok && i < sizeof(common) / sizeof(common[0]); i++)
        ok = add(call, common[i].name, common[i].value);
    for (size_t i = 0; ok && i < call->n_headers; i++) {
        own_csp = own_csp || strcmp(call->headers[i].name, CSP) == 0;
        ok = add(call, call->headers[i].name, call->headers[i].value);
    }
    if (ok && !own_csp)
        ok = add(call, CSP, "default-src 'none'; frame-ancestors 'none'");
    if (ok && (c->last || c->admin->stopped))
        ok = add(call, MHD_HTTP_HEADER_CONNECTION, "close");
    return ok;
}

void call_answer(struct admin_call *call, unsigned status, const char *type,
                 struct MHD_Response *response)
{
    enum call_state was = call->state;

    if (was == CALL_ANSWERED) {
        if (response)
            MHD_destroy_response(response);
        return;
    }
    call->state = CALL_ANSWERED;
    call->gone = NULL;
    call->watch = sd_event_source_disable_unref(call->watch);
    call->status = status;
    call->response = response;
    if (response && !set_headers(call, type)) {
        MHD_destroy_response(response);
        call->response = NULL;
    }
    call->aborted = !call->response;
    if (was == CALL_SUSPENDED) {
        MHD_resume_connection(call->connection->mhd);
        admin_wake(call->connection->admin);
    }
}

void admin_reply(struct admin_call *call, unsigned status, const char *type, const void *body,
                 size_t n)
{
    static char nothing[1];

    call->bytes = n;
    /* The library copies the body and only reads it, so the cast is safe. */
    call_answer(call, status, type,
                MHD_create_response_from_buffer(n, n > 0 ? (void *)(uintptr_t)body : nothing,
                                                MHD_RESPMEM_MUST_COPY));
}

void admin_reply_json(struct admin_call *call, unsigned status, struct buf *json)
{
    struct MHD_Response *response;
    int r = buf_error(json);

    if (r < 0) {
        buf_done(json);
        if (r == -E2BIG)
            admin_fail(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer is too long");
        else
            admin_no_memory(call);
        return;
    }
    call->bytes = json->len;
    response = MHD_create_response_from_buffer(json->len, json->data, MHD_RESPMEM_MUST_FREE);
    if (response)
        (void)steal(&json->data);
    buf_done(json);
    call_answer(call, status, CALL_JSON_TYPE, response);
}

void admin_reply_file(struct admin_call *call, const char *type, const char *name, int fd,
                      uint64_t size)
{
    struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);
    char value[512];

    if (!response)
        (void)close(fd);
    if (response && name) {
        (void)snprintf(value, sizeof(value), "attachment; filename=\"%s\"", name);
        admin_call_header(call, "Content-Disposition", value);
    }
    call_answer(call, MHD_HTTP_OK, type, response);
}

void call_answer_at_once(struct admin_call *call, unsigned status, const struct buf *json)
{
    struct connection *c = call->connection;
    char memory[ERROR_JSON_SIZE + HEAD_SIZE];
    struct buf reply;

    call->state = CALL_ANSWERED;
    call->gone = NULL;
    call->status = status;
    call->replied = true;
    c->last = true;
    buf_over(&reply, memory, sizeof(memory));
    (void)buf_addf(&reply, "HTTP/1.1 %u %s\r\nContent-Type: " CALL_JSON_TYPE "\r\n", status,
                   MHD_get_reason_phrase_for(status));
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        (void)buf_addf(&reply, "%s: %s\r\n", common[i].name, common[i].value);
    for (size_t i = 0; i < call->n_headers; i++)
        (void)buf_addf(&reply, "%s: %s\r\n", call->headers[i].name, call->headers[i].value);
    (void)buf_addf(&reply, "Content-Length: %zu\r\nConnection: close\r\n\r\n%s", json->len,
                   buf_str(json));
    /* So few bytes always have room in the socket: nothing was sent on it before. */
    if (buf_error(&reply) == 0 && !call->no_memory)
        (void)send(c->fd, reply.data, reply.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    connection_phase(c, PHASE_READING);
    call_resume(call);
}

/* Writes into memory on the stack, so that it can also report that memory is short. */
void admin_fail(struct admin_call *call, unsigned status, const char *fmt, ...)
{
    char text[ERROR_MAX], memory[ERROR_JSON_SIZE];
    struct jsonwriter w;
    struct buf json;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_over(&json, memory, sizeof(memory));
    jsonwriter_init(&w, &json, (struct jsonwriter_style){.digits = 17});
    jsonwriter_object(&w, NULL);
    jsonwriter_text(&w, "error", text);
    jsonwriter_end(&w);
    if (jsonwriter_finish(&w) < 0)
        call_answer(call, 0, NULL, NULL);
    else if (call->state == CALL_TAKING && call->at_once)
        call_answer_at_once(call, status, &json);
    else
        admin_reply(call, status, CALL_JSON_TYPE, json.data, json.len);
}

void admin_no_memory(struct admin_call *call)
{
    admin_fail(call, MHD_HTTP_SERVICE_UNAVAILABLE,
               "contraced has not enough memory for that; ask again in a while");
}

void admin_call_header(struct admin_call *call, const char *name, const char *value)
{
    struct call_header h = {strdup(name), strdup(value)};

    if (!h.name || !h.value || call->n_headers == ADMIN_REPLY_HEADERS_MAX) {
        free(h.name);
        free(h.value);
        call->no_memory = true;
        return;
    }
    call->headers[call->n_headers++] = h;
}
