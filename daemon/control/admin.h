/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The admin endpoint: an HTTP server on the daemon's only event loop (libmicrohttpd on sd-event).
 * It owns the sockets, decides who may send requests (guard.h), and limits all that a client can
 * fill or hold. The routes that it is given write the answers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "lib/config/config.h"

#define ADMIN_CONNECTIONS_MAX 128 /* when there are more, the oldest idle one is closed */
/* Bytes of a request's head; far longer ones get 431 or 414. */
#define ADMIN_HEADERS_MAX (16u << 10)
#define ADMIN_BODY_MAX (64u << 10)     /* bytes of a request's body; longer ones get 413 */
#define ADMIN_LONG_BODY_MAX (1u << 20) /* the same for a route with ADMIN_LONG_BODY */
#define ADMIN_CUT_BODY_MAX (16u << 20) /* the same for a route with ADMIN_CUT_BODY */
#define ADMIN_BODIES_MAX (4u << 20)    /* bytes of all bodies at the same time; beyond that: 503 */
/* For a whole request, and for the pause between two. */
#define ADMIN_REQUEST_TIMEOUT (10 * USEC_PER_SEC)
/* For a streamed body; and for each pause in it ADMIN_REQUEST_TIMEOUT. */
#define ADMIN_STREAM_TIMEOUT (120 * USEC_PER_SEC)
#define ADMIN_REPLY_STALL 30 /* seconds in which the client takes no byte of a reply */
/* Bytes of replies under way; beyond that the oldest is ended. */
#define ADMIN_REPLIES_MAX (16u << 20)
#define ADMIN_LINGER USEC_PER_SEC /* time that replies have after admin_stop */
#define ADMIN_REPLY_HEADERS_MAX 8 /* set by admin_call_header */

struct admin;
struct admin_call; /* one request under way */

/* Called on the event loop when the whole request has arrived and may be answered. */
typedef void (*admin_run_fn)(void *userdata, struct admin_call *call);

/* Flags of a route. */
enum {
    ADMIN_OPEN = 1,      /* tells nothing secret, so it needs no token */
    ADMIN_LONG_BODY = 2, /* takes bodies of up to ADMIN_LONG_BODY_MAX */
    ADMIN_CUT_BODY = 4,  /* of longer bodies, up to ADMIN_CUT_BODY_MAX, keeps only the beginning */
    ADMIN_STREAM = 8,    /* takes bodies of any length and type: see admin_call_take */
};

struct admin_route {
    const char *method; /* "GET" (which also answers HEAD), "POST" or "PUT" */
    const char *path;   /* matched exactly; as a prefix if it ends in '/' and is longer than "/" */
    admin_run_fn run;
    unsigned flags;
    /* Called with the reason when a request is refused before it comes to `run`; may be NULL. */
    void (*refused)(void *userdata, const char *why);
};

/* Makes the endpoint, which does not listen yet. The routes are borrowed until admin_free. 0 or a
 * negative errno. */
int admin_new(sd_event *event, const struct admin_route *routes, size_t n, void *userdata,
              struct admin **ret);

/*
 * Listens on the addresses of the configuration, at the start and after a reload. An address that
 * did not change keeps its socket and connections. An address that cannot be bound is logged and
 * tried again every 30 s. `web` is not kept. 0; or a negative errno, such as -ENOMEM, and nothing
 * changed. May be called by a handler.
 */
int admin_set(struct admin *a, const struct web_config *web);

/*
 * Stops listening and removes the sockets' files. Calls that wait for their handler have their
 * function called (admin_call_on_gone) and are answered with 503. Replies under way have one more
 * second. A second call does nothing.
 */
void admin_stop(struct admin *a);

/* True if no call waits for its answer and no reply is on its way. After admin_stop that is so
 * within ADMIN_LINGER. */
bool admin_idle(const struct admin *a);

/* Calls that wait for their handler have their function called. NULL is fine. */
void admin_free(struct admin *a);

/* The part of the path after that of a prefix route, percent-decoded, without control characters;
 * may be "". Borrowed. */
const char *admin_call_path(const struct admin_call *call);

/* A parameter of the query, percent-decoded, without control characters; NULL if there is none.
 * Borrowed. */
const char *admin_call_query(const struct admin_call *call, const char *name);

/* The body as far as it was kept (admin_call_is_cut), followed by a zero byte; never NULL.
 * Borrowed. */
const void *admin_call_body(const struct admin_call *call, size_t *ret_n);

/* Adds a header, such as Retry-After, to the reply that follows. Copies both texts. A reply is
 * never sent without its headers: if memory is short, the connection is closed. */
void admin_call_header(struct admin_call *call, const char *name, const char *value);

/*
 * A handler answers exactly once, now or later, with one of the functions below. The call is
 * invalid afterwards. They cannot fail: without memory the connection is closed.
 */
void admin_reply(struct admin_call *call, unsigned status, const char *type, const void *body,
                 size_t n); /* copies */
/* Takes the contents of the buffer, which are JSON. Answers 503, or 500 if it is too long, if the
 * buffer has an error. */
void admin_reply_json(struct admin_call *call, unsigned status, struct buf *json);
/* Takes fd. `name`, in plain ASCII: the browser saves the file under this name; NULL: it shows the
 * file. */
void admin_reply_file(struct admin_call *call, const char *type, const char *name, int fd,
                      uint64_t size);
/* Answers {"error": "…"}, a text that says what is wrong and what to do. */
void admin_fail(struct admin_call *call, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void admin_no_memory(struct admin_call *call); /* 503 */

/* True if admin_call_body has only the beginning of the body. */
bool admin_call_is_cut(const struct admin_call *call);

/*
 * For a handler that answers later: `fn` is called when the client has gone or the server stops.
 * The handler must then forget the call and not answer it. `fn` is not called after an answer.
 */
void admin_call_on_gone(struct admin_call *call,
                        void (*fn)(void *userdata, struct admin_call *call), void *userdata);

/*
 * A route with ADMIN_STREAM has its `run` called when the head has arrived. It answers, or calls
 * admin_call_take, and then the body is handed on piece by piece. A client that asks before it sends
 * its body (Expect: 100-continue) is told to do so only after that. Until the call is answered,
 * `gone` (admin_call_on_gone) tells if the body breaks off or takes too long. admin_fail may be
 * called before all has come, and is sent at once.
 */
struct admin_stream {
    /* Takes the next bytes. 0: none of them now; the same again after admin_call_resume. */
    int (*take)(void *userdata, const void *data, size_t n);
    /* All of the body has come: the call may be answered. */
    void (*whole)(void *userdata, struct admin_call *call);
};

/* `stream` is static, `userdata` is what its functions are given. */
void admin_call_take(struct admin_call *call, const struct admin_stream *stream, void *userdata);
void admin_call_resume(struct admin_call *call);

/* A header of the request; NULL if it has none. Borrowed. */
const char *admin_call_asked(const struct admin_call *call, const char *name);

/* The connection's socket, and whether it is a unix one. */
int admin_call_socket(const struct admin_call *call, bool *ret_unix);
