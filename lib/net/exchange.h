/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A request over HTTP and its response as plain data: what is asked, and what came of it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "lib/net/access.h"

#define HTTP_HEADERS_MAX (64u << 10) /* bytes of all header lines of one response */
#define HTTP_TEXT_MAX 256
#define HTTP_BODY_MAX (256u << 10) /* bytes of a request's body in memory; a file's have no limit */
#define HTTP_IDLE_SECONDS 20L      /* a connection that was idle so long is not used again */

enum http_error {
    HTTP_OK,            /* the response is complete, whatever its status */
    HTTP_DNS,           /* the name did not resolve */
    HTTP_CONNECT,       /* refused, unreachable, no such socket */
    HTTP_TLS,           /* handshake, certificate */
    HTTP_TLS_FILE,      /* a CA, certificate or key file of ours cannot be used */
    HTTP_PROXY,         /* the proxy is out of reach, or cannot reach the server for now */
    HTTP_PROXY_REFUSED, /* it wants a password, does not let us through, or its URL is none */
    HTTP_TIMEOUT,       /* not done in time */
    HTTP_CLOSED,        /* the peer ended the connection early */
    HTTP_PROTOCOL,      /* not HTTP, or not as we accept it */
    HTTP_ABORTED,       /* a handler gave up */
    HTTP_LOCAL,         /* memory, descriptors, or the file to send */
};

struct http_result {
    enum http_error error;
    long status; /* 0 when none came */
    /*
     * The whole request was sent, as far as this machine knows: it may have had its effect, even if
     * no answer came.
     */
    bool sent_all;
    /* The body's end was announced (chunked or Content-Length), not only marked by a close. */
    bool delimited;
    usec taken; /* from when the request could be sent to its end; 0: it never could */
    char text[HTTP_TEXT_MAX];    /* the error, for people; "" if there is none */
    char proxy[PROXY_NAME_SIZE]; /* the proxy if it may have answered for the server, else "" */
};

struct http_header {
    const char *name, *value;
};

/*
 * A body to send: `size` bytes of memory, which are copied and wiped after use; or, if `data` is
 * NULL, the first `size` bytes of a regular file, read by pread(2) and borrowed until the end of
 * the request. It may be sent twice if a kept connection turns out to be dead.
 */
struct http_body {
    const void *data;
    int fd;
    uint64_t size;
};

/* Everything but a body's file is borrowed during http_start only. All zero is a plain GET. */
struct http_options {
    const char *url;
    const char *method;                /* GET, HEAD, PUT, POST or DELETE; NULL: GET */
    const struct http_header *headers; /* copied and wiped after use */
    size_t n_headers;
    const struct http_body *body; /* not for GET and HEAD */
    /* Expect: 100-continue: send the body when the server asks for it, or after 1 s. A server
     * without support answers 417, whose body is not delivered. */
    bool expect_continue;
    bool keep;             /* use a kept connection, and keep it afterwards */
    size_t piece;          /* bytes to read from the socket at a time; 0: RECEIVE_BUFFER */
    uint64_t max_rate;     /* limit for sending the body, bytes a second; 0: none */
    const char *unix_path; /* connect to this socket instead; '@' in front: abstract name space */
    const char *authorization; /* "Authorization: …", or NULL; copied and wiped after use */
    const struct proxy *proxy; /* not for unix sockets; NULL: none */
    struct access_tls tls;
    bool ca_beside;       /* trust the system's authorities, too, besides those of tls.ca_file */
    usec connect_timeout; /* including the TLS handshake */
    usec timeout;         /* of everything; 0: none */
    usec stall_timeout;   /* ends a request in which no byte was moved for this long; 0: never */
};

/* What a body handler may return instead of the number of bytes. */
#define HTTP_PAUSE (-1) /* deliver the same bytes again after http_resume */
#define HTTP_ABORT (-2) /* end the transfer with HTTP_ABORTED */

struct http_handlers {
    /*
     * Optional: the connection is there, and the request is about to be sent on it. Called again if
     * a kept connection turns out to be dead. Must not end the transfer.
     */
    void (*connected)(void *userdata);
    /* Takes a piece of the decoded body. Returns n, HTTP_PAUSE or HTTP_ABORT. The status is
     * known. */
    ssize_t (*body)(void *userdata, const void *data, size_t n);
    /*
     * Optional: takes a header line of the final response, before its body. Not called for interim
     * responses and trailers. The value has no surrounding white space. Must not end the transfer.
     */
    void (*header)(void *userdata, const char *name, const char *value);
    /* The last call, but not after http_cancel. The request is freed already. */
    void (*finished)(void *userdata, const struct http_result *result);
};
