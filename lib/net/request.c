/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "lib/net/header.h"

/*
 * Bytes read from a socket at a time: few system calls per MiB, and still small beside a service.
 */
#define RECEIVE_BUFFER (256L << 10)
#define REPLY_BUFFER (16L << 10) /* answers to requests with a body are short */
#define SEND_BUFFER_MIN (16L << 10)
#define SEND_BUFFER_MAX (256L << 10)

/* With a rate limit each piece is about an eighth of a second, so that a slow transfer is
 * steady. */
#define PIECES_A_SECOND 8
#define SMALLEST_PIECE 1024

#define EXPECT_WAIT_MS 1000L

static void wipe_list(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        explicit_bzero(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

void request_done(struct http_request *r)
{
    sd_event_source_disable_unref(r->go_on);
    if (r->easy)
        curl_easy_cleanup(r->easy);
    wipe_list(r->headers);
    curl_slist_free_all(r->connect_to);
    proxy_free(r->proxy);
    source_done(&r->source);
}

static int tell_header(struct http_request *r, const struct header_piece *name,
                       const struct header_piece *value)
{
    char *n = strndup(name->data, name->n), *v = strndup(value->data, value->n);
    bool good = n && v;

    if (good)
        r->handlers->header(r->userdata, n, v);
    else
        r->out_of_memory = true;
    free(n);
    free(v);
    return good ? 0 : -ENOMEM;
}

/*
 * libcurl would decode `Transfer-Encoding: gzip` without being asked, and a small body could become
 * huge.
 */
static int take_header(struct http_request *r, const char *line, size_t n)
{
    struct header_piece name, value;

    if (!header_split(line, n, &name, &value))
        return 0;
    if (header_is(&name, "Transfer-Encoding")) {
        if (!header_is(&value, "chunked")) {
            r->refused = "a Transfer-Encoding other than chunked was not asked for";
            return -EPROTO;
        }
        r->delimited = true;
    } else if (header_is(&name, "Content-Length")) {
        r->delimited = true;
    }
    if (!r->handlers->header || r->status < 200 || r->head_ended)
        return 0;
    return tell_header(r, &name, &value);
}

/*
 * CURLOPT_HEADERFUNCTION: bounds the headers and refuses encodings that were not requested. Also
 * called for interim responses and trailers.
 */
static size_t on_header(char *line, size_t size, size_t n, void *userdata)
{
    struct http_request *r = userdata;
    int status = r->head_ended ? 0 : header_status(line, size * n);

    n *= size;
    r->header_bytes += n;
    if (r->header_bytes > HTTP_HEADERS_MAX) {
        r->refused = REQUEST_HEADERS_TOO_LONG;
        return 0;
    }
    if (status > 0) {
        r->status = status;
        /* curl would repeat the request by itself and deliver two bodies. */
        r->expectation_failed = status == 417 && r->expects;
        return r->expectation_failed ? 0 : n;
    }
    if (line[0] == '\r' || line[0] == '\n') {
        r->head_ended = r->status >= 200;
        return n;
    }
    return take_header(r, line, n) < 0 ? 0 : n;
}

/* CURLOPT_SOCKOPTFUNCTION: remembers the descriptor, as CURLINFO_ACTIVESOCKET is not set while a
 * transfer runs. */
static int on_open(void *userdata, curl_socket_t fd, curlsocktype purpose)
{
    struct http_request *r = userdata;

    (void)purpose;
    r->fd = fd;
    return CURL_SOCKOPT_OK;
}

/* CURLOPT_PREREQFUNCTION */
static int on_connected(void *userdata, char *ip, char *own_ip, int port, int own_port)
{
    struct http_request *r = userdata;

    (void)ip;
    (void)own_ip;
    (void)port;
    (void)own_port;
    r->handlers->connected(r->userdata);
    return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata)
{
    struct http_request *r = userdata;
    ssize_t taken;

    r->has_body = true;
    taken = r->handlers->body(r->userdata, data, size * n);
    r->paused = taken == HTTP_PAUSE;
    if (r->paused)
        return CURL_WRITEFUNC_PAUSE;
    /* For an empty piece 0 would mean success, so HTTP_ABORT needs another value. */
    return taken < 0 ? size * n + 1 : (size_t)taken;
}

/* CURLOPT_OPENSOCKETFUNCTION: opens it close-on-exec, and remembers the error. */
static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct http_request *r = userdata;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    r->socket_error = fd < 0 ? -errno : 0;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_go_on(sd_event_source *s, void *userdata)
{
    struct http_request *r = userdata;

    (void)s;
    r->go_on = sd_event_source_disable_unref(r->go_on);
    (void)curl_easy_pause(r->easy, r->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
    return 0;
}

/*
 * A server may answer early and close, which resets the connection. Sending then fails, and curl
 * would not read the answer that came. So received bytes are read before more is sent; once for
 * each position, as they may be no answer (a TLS session ticket).
 */
static bool read_first(struct http_request *r)
{
    struct pollfd p = {.fd = r->fd, .events = POLLIN};

    if (r->fd < 0 || r->status >= 200 || r->held_at == r->source.at || poll(&p, 1, 0) != 1)
        return false;
    if (!r->go_on && sd_event_add_defer(r->event, &r->go_on, on_go_on, r) < 0)
        return false;
    r->held_at = r->source.at;
    return true;
}

/* CURLOPT_READFUNCTION */
static size_t on_read(char *out, size_t size, size_t n, void *userdata)
{
    struct http_request *r = userdata;
    ssize_t got;

    n *= size;
    /* curl itself continues when the answer says that the connection will close. */
    if (r->status >= 300)
        return 0;
    if (r->piece > 0 && n > r->piece)
        n = r->piece;
    got = source_read(&r->source, out, n);
    if (got < 0)
        return CURL_READFUNC_ABORT;
    if (got > 0) {
        r->source.at -= (uint64_t)got;
        if (read_first(r)) /* as late as possible, because reading the file took time */
            return CURL_READFUNC_PAUSE;
        r->source.at += (uint64_t)got;
    }
    return (size_t)got;
}

/* CURLOPT_SEEKFUNCTION: a kept connection was dead, so the body is sent again. */
static int on_seek(void *userdata, curl_off_t offset, int origin)
{
    struct http_request *r = userdata;

    r->held_at = UINT64_MAX;
    if (origin != SEEK_SET || offset < 0 || source_seek(&r->source, (uint64_t)offset) < 0)
        return CURL_SEEKFUNC_FAIL;
    return CURL_SEEKFUNC_OK;
}

/* Options of every request, since some defaults of libcurl are unsafe. */
static int set_hardened(struct http_request *r, const char *user_agent,
                        const struct http_options *o)
{
    REQUEST_SET(r, CURLOPT_PROTOCOLS_STR, "http,https");
    REQUEST_SET(r, CURLOPT_FOLLOWLOCATION, 0L);
    REQUEST_SET(r, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    REQUEST_SET(r, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    REQUEST_SET(r, CURLOPT_NOSIGNAL, 1L);
    REQUEST_SET(r, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    REQUEST_SET(r, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    REQUEST_SET(r, CURLOPT_PATH_AS_IS, 1L);
    /*
     * No DNS cache: with minutes between two captures entries would be stale, and libcurl goes
     * through the whole cache at each transfer.
     */
    REQUEST_SET(r, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    REQUEST_SET(r, CURLOPT_BUFFERSIZE, o->piece > 0 ? (long)o->piece : RECEIVE_BUFFER);
    REQUEST_SET(r, CURLOPT_USERAGENT, user_agent);
    REQUEST_SET(r, CURLOPT_ERRORBUFFER, r->error);
    REQUEST_SET(r, CURLOPT_PRIVATE, r);
    REQUEST_SET(r, CURLOPT_SOCKOPTFUNCTION, on_open);
    REQUEST_SET(r, CURLOPT_SOCKOPTDATA, r);
    REQUEST_SET(r, CURLOPT_HEADERFUNCTION, on_header);
    REQUEST_SET(r, CURLOPT_HEADERDATA, r);
    REQUEST_SET(r, CURLOPT_WRITEFUNCTION, on_body);
    REQUEST_SET(r, CURLOPT_WRITEDATA, r);
    REQUEST_SET(r, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    REQUEST_SET(r, CURLOPT_OPENSOCKETDATA, r);
    if (r->handlers->connected) {
        REQUEST_SET(r, CURLOPT_PREREQFUNCTION, on_connected);
        REQUEST_SET(r, CURLOPT_PREREQDATA, r);
    }
    /* Otherwise the end of a request would wait for a name lookup that still runs. */
    REQUEST_SET(r, CURLOPT_QUICK_EXIT, 1L);
    return 0;
}

/* The upload buffer: the size of the body, within libcurl's limits. */
static long send_buffer(uint64_t size)
{
    if (size < SEND_BUFFER_MIN)
        return SEND_BUFFER_MIN;
    return size < SEND_BUFFER_MAX ? (long)size : SEND_BUFFER_MAX;
}

/* The length is announced: a body is never sent chunked. */
static int set_body(struct http_request *r, const struct http_options *o)
{
    int error = o->body ? source_init(&r->source, o->body) : 0;

    if (error < 0)
        return error;
    REQUEST_SET(r, CURLOPT_BUFFERSIZE, REPLY_BUFFER);
    REQUEST_SET(r, CURLOPT_UPLOAD_BUFFERSIZE, send_buffer(r->source.size));
    REQUEST_SET(r, CURLOPT_UPLOAD, 1L);
    REQUEST_SET(r, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->source.size);
    REQUEST_SET(r, CURLOPT_READFUNCTION, on_read);
    REQUEST_SET(r, CURLOPT_READDATA, r);
    REQUEST_SET(r, CURLOPT_SEEKFUNCTION, on_seek);
    REQUEST_SET(r, CURLOPT_SEEKDATA, r);
    REQUEST_SET(r, CURLOPT_EXPECT_100_TIMEOUT_MS, EXPECT_WAIT_MS);
    if (o->max_rate > 0) {
        r->piece = (size_t)(o->max_rate / PIECES_A_SECOND);
        r->piece = r->piece < SMALLEST_PIECE ? SMALLEST_PIECE : r->piece;
        REQUEST_SET(r, CURLOPT_MAX_SEND_SPEED_LARGE,
                    o->max_rate > INT64_MAX ? INT64_MAX : (curl_off_t)o->max_rate);
    }
    r->expects = o->expect_continue && r->source.size > 0;
    /* Otherwise curl adds Expect: 100-continue from 1 MiB on, and waits if the server does not know
     * it. */
    return request_add_header(r, r->expects ? "Expect: 100-continue" : "Expect:");
}

static int set_method(struct http_request *r, const struct http_options *o)
{
    static const struct {
        const char *name;
        bool body, always; /* may have a body; announces the length even if there is none */
    } methods[] = {{"GET", false, false},
                   {"HEAD", false, false},
                   {"PUT", true, true},
                   {"POST", true, true},
                   {"DELETE", true, false}};
    const char *name = o->method ? o->method : "GET";
    size_t i = 0, n = sizeof(methods) / sizeof(methods[0]);
    int error;

    while (i < n && strcmp(methods[i].name, name) != 0)
        i++;
    if (i == n || (o->body && !methods[i].body))
        return -EINVAL;
    if (o->body || methods[i].always) {
        error = set_body(r, o);
        if (error < 0)
            return error;
    }
    if (strcmp(name, "HEAD") == 0)
        REQUEST_SET(r, CURLOPT_NOBODY, 1L);
    else if (i > 0)
        REQUEST_SET(r, CURLOPT_CUSTOMREQUEST, methods[i].name);
    return 0;
}

static int add_headers(struct http_request *r, const struct http_options *o)
{
    struct buf line;
    int error = o->authorization ? request_add_header(r, o->authorization) : 0;

    buf_init(&line, HTTP_HEADERS_MAX);
    for (size_t i = 0; error == 0 && i < o->n_headers; i++) {
        buf_clear(&line);
        error = header_format(&line, o->headers[i].name, o->headers[i].value);
        if (error == 0)
            error = request_add_header(r, buf_str(&line));
    }
    buf_wipe(&line);
    return error;
}

int request_init(struct http_request *r, const char *user_agent, const struct http_options *o)
{
    int error;

    r->easy = curl_easy_init();
    if (!r->easy)
        return -ENOMEM;
    error = set_hardened(r, user_agent, o);
    if (error == 0)
        error = set_method(r, o);
    if (error == 0)
        error = add_headers(r, o);
    if (error == 0)
        error = connection_init(r, o);
    if (error == 0 && r->headers &&
        curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers) != CURLE_OK)
        error = -ENOMEM;
    return error;
}
