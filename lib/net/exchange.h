/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A request over HTTP and its response as plain data: what is asked, and what came of it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/proxy.h"

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
    HTTP_PROXY_REFUSED, /* it asks for a password or does not let us through; or is no proxy's URL */
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
     * The request went out whole, as far as this machine knows: it may have had its effect, even
     * when no answer came.
     */
    bool sent_all;
    bool delimited; /* the body's end was announced (chunked or Content-Length), not just a close */
    usec taken;     /* from when the request could go out to the end; 0: it never could */
    char text[HTTP_TEXT_MAX];    /* what went wrong, for people; "" when nothing did */
    char proxy[PROXY_NAME_SIZE]; /* which may have answered in the server's place; "": none */
};

struct http_header {
    const char *name, *value;
};

/*
 * What is sent: `size` bytes of memory, copied and wiped after use, or, without `data`, the first
 * `size` bytes of a regular file, read with pread(2) and borrowed until the end of the request. It
 * may be sent twice: when a connection that was kept turns out to be dead.
 */
struct http_body {
    const void *data;
    int fd;
    uint64_t size;
};

/* All but the file of a body is borrowed during http_start only. Zero is a plain GET. */
struct http_options {
    const char *url;
    const char *method;                /* GET, HEAD, PUT, POST or DELETE; NULL: GET */
    const struct http_header *headers; /* copied and wiped after use */
    size_t n_headers;
    const struct http_body *body; /* not for GET and HEAD */
    bool expect_continue;  /* send the body when the server asks for it, or after 1 s; a server that
                             does not know how answers 417, whose body is not delivered */
    bool keep;             /* use a connection that was kept, and keep it after */
    uint64_t max_rate;     /* bytes of the body sent in a second; 0: no limit */
    const char *unix_path; /* connect here instead; '@' first: the abstract name space */
    const char *authorization; /* "Authorization: …", or NULL; copied and wiped after use */
    const struct proxy *proxy; /* not for unix sockets; NULL: none */
    const char *ca_file, *cert_file, *key_file;
    bool ca_beside;          /* the system's authorities count beside those of ca_file */
    const char *server_name; /* verify (and ask for) this name instead of the URL's */
    bool insecure_skip_verify;
    usec connect_timeout; /* up to the end of the TLS handshake */
    usec timeout;         /* of everything; 0: none */
    usec stall_timeout;   /* of a time in which no byte comes or goes; 0: none */
};

/* What a body handler may return instead of the number of bytes. */
#define HTTP_PAUSE (-1) /* give me the same bytes again after http_resume */
#define HTTP_ABORT (-2) /* end the transfer: HTTP_ABORTED */

struct http_handlers {
    /* A piece of the decoded body. Returns n, HTTP_PAUSE or HTTP_ABORT. The status is known. */
    ssize_t (*body)(void *userdata, const void *data, size_t n);
    /*
     * Optional: a line of the final response's head, before any of its body. Not for interim
     * responses and trailers. The value has no white space around it. May not end the transfer.
     */
    void (*header)(void *userdata, const char *name, const char *value);
    /* The last call; the request is gone when it returns. Not called after http_cancel. */
    void (*finished)(void *userdata, const struct http_result *result);
};
