/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by the endpoint's files: admin.c has the server and its connections, admin_connection.c
 * their phases and limits, admin_call.c the requests on them, admin_body.c
 * their bodies, admin_reply.c the replies.
 */

#include <microhttpd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "daemon/control/admin.h"
#include "daemon/control/guard.h"
#include "daemon/control/listener.h"
#include "lib/net/listen.h"

/* Connections that were ended to make place for others keep their slots until the server's next
 * turn, so there are more slots than connections. */
#define CONNECTIONS_DYING (LISTEN_MAX * LISTENER_BURST)
#define CONNECTION_SLOTS (ADMIN_CONNECTIONS_MAX + CONNECTIONS_DYING)

enum phase {
    PHASE_FREE,    /* no connection */
    PHASE_READING, /* a request is arriving, or may arrive */
    PHASE_TAKING,  /* a body streams to its handler */
    PHASE_WAITING, /* waits for the handler's answer */
    PHASE_SENDING, /* a reply is being sent */
};

struct connection {
    struct admin *admin;
    struct MHD_Connection *mhd; /* NULL until the server has taken it over */
    int fd;
    enum phase phase;
    usec since;   /* when the phase began, or the last piece of a streamed body came: monotonic */
    size_t bytes; /* bytes in memory of the reply that is being sent */
    bool dying;   /* its socket was shut down */
    bool last;    /* closes after the reply */
    bool used;    /* not its first request */
    bool bad_uri; /* the request that is arriving has control characters in its path or query */
    bool unix_socket, loopback;
    char listener[LISTEN_TEXT_SIZE];
    struct admin_call *call;
};

struct admin {
    sd_event *event;
    const struct admin_route *routes;
    size_t n_routes;
    void *userdata;
    struct MHD_Daemon *mhd;
    sd_event_source *io, *timer; /* the server's */
    sd_event_source *sweep;      /* timer that ends requests and replies that take too long */
    struct connection connections[CONNECTION_SLOTS];
    size_t n_alive; /* neither free nor dying */
    size_t bodies;  /* bytes of request bodies in memory */
    struct listener *listeners[LISTEN_MAX];
    size_t n_listeners;
    char *token_file;
    bool token_failed; /* was logged */
    bool again;        /* the server must be called again at once */
    bool adding;       /* the server may not have taken over all connections yet */
    bool stopped;
    usec stopped_at; /* monotonic */
};

enum call_state {
    CALL_READING,   /* its body is arriving */
    CALL_TAKING,    /* its body streams to the handler */
    CALL_RUNNING,   /* its handler is running */
    CALL_SUSPENDED, /* the handler has returned and will answer later */
    CALL_ANSWERED,  /* it has its reply; or will have none, if `aborted` */
};

struct call_header {
    char *name, *value;
};

struct admin_call {
    struct connection *connection;
    const struct admin_route *route;
    const char *method; /* borrowed from the connection */
    char *rest;         /* the rest of the path after the route's */
    enum call_state state;
    bool aborted; /* ends without a reply */
    struct buf body;
    uint64_t body_seen;
    const struct admin_stream *stream; /* where a streamed body goes; NULL: it is no such body */
    void *stream_userdata;
    usec until;   /* monotonic: so long may that body take */
    bool paused;  /* the handler takes no more of it for now; the connection is suspended */
    bool at_once; /* an error is sent at once, although the body is still coming */
    bool replied; /* that was done */
    struct MHD_Response *response;
    size_t bytes; /* bytes of the response in memory */
    unsigned status;
    struct call_header headers[ADMIN_REPLY_HEADERS_MAX];
    size_t n_headers;
    bool no_memory; /* a header is missing */
    void (*gone)(void *userdata, struct admin_call *call);
    void *gone_userdata;
    sd_event_source *watch; /* tells if the client goes while the connection is suspended */
};

usec admin_now(const struct admin *a);

/* Has the server called at once, as something has changed for it. */
void admin_wake(struct admin *a);

/* Has the server called after this time. */
void admin_call_in(struct admin *a, usec time);

/* At this time, ends connections that take too long. */
void admin_sweep_at(struct admin *a, usec when);

/* Shuts the socket down. The server notices in its next turn. */
void connection_end(struct connection *c);

/* The connection of a streamed body goes on, if it was suspended. */
void call_resume(struct admin_call *call);

void connection_phase(struct connection *c, enum phase phase);

/* Begins the phase of sending a reply. `bytes` of it are in memory until the client has them. */
void connection_send(struct connection *c, size_t bytes);

/* The callbacks of libmicrohttpd for requests: MHD_AccessHandlerCallback and others. */
enum MHD_Result call_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *size, void **con_cls);
void call_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                       enum MHD_RequestTerminationCode why);
void *call_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
size_t call_unescape(void *cls, struct MHD_Connection *mhd, char *text);

#define CALL_JSON_TYPE "application/json"

/* Answers a call; takes the response. NULL: the call ends without a reply. Only the first answer
 * counts. */
void call_answer(struct admin_call *call, unsigned status, const char *type,
                 struct MHD_Response *response);

/* Answers with an error by writing to the socket, beside the library, which sends nothing before a
 * body has come. What follows of the body is read as that of other refused requests. */
void call_answer_at_once(struct admin_call *call, unsigned status, const struct buf *json);

/* If the call waits for its handler, or streams to it, calls its `gone` function and ends it without
 * a reply. */
void call_abort(struct admin_call *call);

/* The same, but answers 503. */
void call_refuse(struct admin_call *call, const char *why);

/* Refuses a request before it comes to its handler. Also tells the route, as the sender may be a
 * program whose answers nobody reads. */
void call_refuse_request(struct admin_call *call, unsigned status, const char *text);

/* admin_body.c: how long a body may be, and how much of a refused one is read, so that the client
 * gets to read the reply. */
size_t body_come_max(const struct admin_call *call);
size_t body_discard_max(const struct admin_call *call);
void body_refuse_long(struct admin_call *call);

/* Takes the next bytes of a body; on return *size is how many were not taken. */
enum MHD_Result body_take(struct admin_call *call, const char *data, size_t *size);

/* Begins to hand the body to the route's handler, which may refuse it before any of it has come.
 * `asks_first`: the client waits for that before it sends the body (Expect). */
void body_begin_stream(struct admin_call *call, bool asks_first);
