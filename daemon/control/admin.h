/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The admin endpoint: an HTTP server on the daemon's one event loop (libmicrohttpd on sd-event). It
 * owns the sockets, who may ask (guard.h), and every bound on what a client can fill or keep; what
 * is answered is the business of the routes that it is given.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "lib/config/config.h"

#define ADMIN_CONNECTIONS_MAX 128      /* over it the oldest that does nothing gives way */
#define ADMIN_HEADERS_MAX (16u << 10)  /* bytes of a request's head: 431 or 414 well over it */
#define ADMIN_BODY_MAX (64u << 10)     /* bytes of a request's body: 413 over it */
#define ADMIN_LONG_BODY_MAX (1u << 20) /* the same for a route that takes long ones */
#define ADMIN_CUT_BODY_MAX (16u << 20) /* the same for a route to which the beginning is enough */
#define ADMIN_BODIES_MAX (4u << 20)    /* bytes of all that come at the same time: 503 over it */
#define ADMIN_REQUEST_TIMEOUT (10 * USEC_PER_SEC) /* for a whole request, and between two */
#define ADMIN_REPLY_STALL 30                      /* seconds in which nothing of a reply is taken */
#define ADMIN_REPLIES_MAX (16u << 20) /* bytes of replies under way; over it the oldest goes */
#define ADMIN_LINGER USEC_PER_SEC     /* for replies, after admin_stop */
#define ADMIN_REPLY_HEADERS_MAX 8     /* set by admin_call_header */

struct admin;
struct admin_call; /* one request under way */

/* Called on the loop once the whole request is there and may be answered. */
typedef void (*admin_run_fn)(void *userdata, struct admin_call *call);

/* What is special about a route. */
enum {
    ADMIN_OPEN = 1,      /* tells nothing that a token is for: needs none */
    ADMIN_LONG_BODY = 2, /* takes bodies of up to ADMIN_LONG_BODY_MAX */
    ADMIN_CUT_BODY = 4,  /* and of longer ones, up to ADMIN_CUT_BODY_MAX, the beginning */
};

struct admin_route {
    const char *method; /* "GET" (which HEAD is answered by, too) or "POST" */
    const char *path;   /* exact; a prefix when it ends in '/' and is longer than "/" */
    admin_run_fn run;
    unsigned flags;
    /* Told why a request was refused before it came to `run`; or NULL. */
    void (*refused)(void *userdata, const char *why);
};

/* The routes are borrowed for good. Listens nowhere yet. 0 or a negative errno. */
int admin_new(sd_event *event, const struct admin_route *routes, size_t n, void *userdata,
              struct admin **ret);

/*
 * Listens as the configuration says, at the start and after a reload: an address that did not
 * change keeps its socket and connections. What cannot be bound is logged and tried again every
 * 30 s. `web` is not kept. 0, or -ENOMEM: nothing changed then. May be called by a handler.
 */
int admin_set(struct admin *a, const struct web_config *web);

/*
 * Stops listening and removes the sockets' files. Calls that wait are told (admin_call_on_gone) and
 * answered 503; replies under way have one more second. A second time does nothing.
 */
void admin_stop(struct admin *a);

/* No call waits for its answer, no reply is on its way: after admin_stop, within ADMIN_LINGER. */
bool admin_idle(const struct admin *a);

/* NULL is fine. Calls that wait are told. */
void admin_free(struct admin *a);

/* What follows a prefix route's path, percent-decoded, without control characters; "". Borrowed. */
const char *admin_call_path(const struct admin_call *call);

/* A parameter of the query, percent-decoded, without control characters, or NULL. Borrowed. */
const char *admin_call_query(const struct admin_call *call, const char *name);

/* The whole body, followed by a zero byte; never NULL. Borrowed. */
const void *admin_call_body(const struct admin_call *call, size_t *ret_n);

/* Adds a header to the reply that follows, such as Retry-After. Copied. What lacks a header is not
 * sent: without memory the connection is closed. */
void admin_call_header(struct admin_call *call, const char *name, const char *value);

/*
 * A handler answers now or later, exactly once, with one of these. The call is gone then. They
 * cannot fail: without memory the connection is closed.
 */
void admin_reply(struct admin_call *call, unsigned status, const char *type, const void *body,
                 size_t n); /* copies */
/* Takes what is in the buffer, which is JSON; 503 when something is missing in it. */
void admin_reply_json(struct admin_call *call, unsigned status, struct buf *json);
/* Takes fd. `name`, plain ASCII: what it is saved as; NULL: shown. */
void admin_reply_file(struct admin_call *call, const char *type, const char *name, int fd,
                      uint64_t size);
/* {"error": "…"}: what is wrong, and what to do. */
void admin_fail(struct admin_call *call, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void admin_no_memory(struct admin_call *call); /* 503 */

/* What admin_call_body has is not all of it. */
bool admin_call_is_cut(const struct admin_call *call);

/*
 * For a handler that answers later: `fn` is told when the client has gone or the server stops. The
 * call must then be forgotten; it is not answered any more. Not called after an answer.
 */
void admin_call_on_gone(struct admin_call *call,
                        void (*fn)(void *userdata, struct admin_call *call), void *userdata);
