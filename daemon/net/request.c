/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/net/request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "daemon/net/header.h"

/*
 * Bytes read from a socket at a time: few system calls per MiB, and still small beside a service.
 */
#define RECEIVE_BUFFER (256L << 10)
#define REPLY_BUFFER (16L << 10) /* what answers a body is short */
#define SEND_BUFFER_MIN (16L << 10)
#define SEND_BUFFER_MAX (256L << 10)

/* A slow transfer is sent in pieces of about an eighth of a second, not in one burst a minute. */
#define PIECES_A_SECOND 8
#define SMALLEST_PIECE 1024

#define EXPECT_WAIT_MS 1000L

#define HEADERS_TOO_LONG "the response's headers are longer than 64 KiB"

#define CURLE_TOO_LARGE_ ((CURLcode)100) /* CURLE_TOO_LARGE since 8.6.0 */

static enum http_error error_of(CURLcode code, long os_errno)
{
    if (os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS || os_errno == ENOMEM)
        return HTTP_LOCAL;
    switch (code) {
    case CURLE_OK: return HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return HTTP_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT: return HTTP_TLS;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE: return HTTP_TLS_FILE;
    case CURLE_OPERATION_TIMEDOUT: return HTTP_TIMEOUT;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return HTTP_CLOSED;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK: return HTTP_ABORTED;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT: return HTTP_LOCAL;
    default: return HTTP_PROTOCOL;
    }
}

static void wipe_list(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        explicit_bzero(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

/*
 * A header line longer than curl's own buffer (100 KiB) is CURLE_OUT_OF_MEMORY to it, or
 * CURLE_TOO_LARGE in newer versions: the peer's doing, not ours.
 */
static bool headers_overflowed(const struct http_request *r, CURLcode code)
{
    curl_off_t first_byte = 0;

    if (code == CURLE_TOO_LARGE_)
        return !r->has_body;
    /* Older versions have no word for it. */
    if (code != CURLE_OUT_OF_MEMORY)
        return false;
    (void)curl_easy_getinfo(r->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
    return first_byte > 0 && !r->has_body;
}

/*
 * A server may answer, announce the end and stop reading: that the rest could not be sent is no
 * failure when the whole answer is there.
 */
static bool refused_early(const struct http_request *r, CURLcode code)
{
    curl_off_t announced = -1, received = 0;

    if ((code != CURLE_SEND_ERROR && code != CURLE_READ_ERROR) || r->status < 300)
        return false;
    (void)curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    (void)curl_easy_getinfo(r->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    return r->head_ended && announced >= 0 && received == announced;
}

/* What went out belongs to the kernel by then, which is as much as can be known here. */
static bool all_was_sent(const struct http_request *r)
{
    curl_off_t body = 0;
    long head = 0;

    (void)curl_easy_getinfo(r->easy, CURLINFO_SIZE_UPLOAD_T, &body);
    (void)curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &head);
    return head > 0 && (uint64_t)body >= r->source.size;
}

static usec time_taken(const struct http_request *r)
{
    curl_off_t ready = 0, total = 0;

    (void)curl_easy_getinfo(r->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
    (void)curl_easy_getinfo(r->easy, CURLINFO_TOTAL_TIME_T, &total);
    return ready > 0 && total > ready ? (usec)(total - ready) : 0;
}

void request_result(const struct http_request *r, CURLcode code, struct http_result *ret)
{
    const char *text = NULL;
    long os_errno = 0;

    if (r->expectation_failed || refused_early(r, code))
        code = CURLE_OK;
    else if (code == CURLE_OK && !r->head_ended)
        code = CURLE_RECV_ERROR; /* curl takes a head that is cut for a whole one */
    *ret = (struct http_result){
        .delimited = r->delimited, .sent_all = all_was_sent(r), .taken = time_taken(r)};
    (void)curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_errno);
    (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &ret->status);
    if (r->expectation_failed)
        ret->status = 417;
    if (r->socket_error < 0)
        os_errno = -r->socket_error;
    ret->error = error_of(code, code == CURLE_OK ? 0 : os_errno);
    if (r->refused || headers_overflowed(r, code)) {
        ret->error = HTTP_PROTOCOL;
        text = r->refused ? r->refused : HEADERS_TOO_LONG;
    } else if (r->source.error[0] || r->out_of_memory) {
        ret->error = HTTP_LOCAL;
        text = r->out_of_memory ? strerror(ENOMEM) : r->source.error;
    } else if (ret->error == HTTP_CONNECT && os_errno != 0) {
        /* curl names the host of the URL, which for a unix socket is not where it connected to. */
        text = strerror((int)os_errno);
    } else if (code != CURLE_OK) {
        text = r->error[0] ? r->error : curl_easy_strerror(code);
    }
    if (text)
        (void)snprintf(ret->text, sizeof(ret->text), "%.*s", HTTP_TEXT_MAX - 1, text);
}

void request_done(struct http_request *r)
{
    sd_event_source_disable_unref(r->go_on);
    if (r->easy)
        curl_easy_cleanup(r->easy);
    wipe_list(r->headers);
    curl_slist_free_all(r->connect_to);
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
 * libcurl undoes an unrequested `Transfer-Encoding: gzip` by itself, a bomb for whoever trusts the
 * length on the wire.
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
 * CURLOPT_HEADERFUNCTION: bounds the headers and refuses what was not asked for. It sees the lines
 * of interim responses and the trailers, too.
 */
static size_t on_header(char *line, size_t size, size_t n, void *userdata)
{
    struct http_request *r = userdata;
    int status = r->head_ended ? 0 : header_status(line, size * n);

    n *= size;
    r->header_bytes += n;
    if (r->header_bytes > HTTP_HEADERS_MAX) {
        r->refused = HEADERS_TOO_LONG;
        return 0;
    }
    if (status > 0) {
        r->status = status;
        /* curl would send the request again by itself, and this answer's body twice over. */
        r->expectation_failed = status == 417 && r->expects;
        return r->expectation_failed ? 0 : n;
    }
    if (line[0] == '\r' || line[0] == '\n') {
        r->head_ended = r->status >= 200;
        return n;
    }
    return take_header(r, line, n) < 0 ? 0 : n;
}

/* CURLOPT_SOCKOPTFUNCTION: CURLINFO_ACTIVESOCKET says nothing yet while a transfer is under way. */
static int on_open(void *userdata, curl_socket_t fd, curlsocktype purpose)
{
    struct http_request *r = userdata;

    (void)purpose;
    r->fd = fd;
    return CURL_SOCKOPT_OK;
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
    /* An empty piece would look like success if HTTP_ABORT were returned as 0 of 0 bytes. */
    return taken < 0 ? size * n + 1 : (size_t)taken;
}

/* CURLOPT_OPENSOCKETFUNCTION: no child inherits it, and why it could not be had is remembered. */
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
 * A server that answers before it has everything, and closes, resets the connection: to send into
 * it fails, and curl would not look at what had come. So whatever has come is read first; once for
 * each place, because it may be nothing for us (a TLS session ticket).
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
    if (r->status >= 300) /* curl itself goes on when the answer says that the connection ends */
        return 0;
    if (r->piece > 0 && n > r->piece)
        n = r->piece;
    got = source_read(&r->source, out, n);
    if (got < 0)
        return CURL_READFUNC_ABORT;
    if (got > 0) {
        r->source.at -= (uint64_t)got;
        if (read_first(r)) /* as late as can be: reading from the disk took its time */
            return CURL_READFUNC_PAUSE;
        r->source.at += (uint64_t)got;
    }
    return (size_t)got;
}

/* CURLOPT_SEEKFUNCTION: a kept connection was dead, and the body starts again. */
static int on_seek(void *userdata, curl_off_t offset, int origin)
{
    struct http_request *r = userdata;

    r->held_at = UINT64_MAX;
    if (origin != SEEK_SET || offset < 0 || source_seek(&r->source, (uint64_t)offset) < 0)
        return CURL_SEEKFUNC_FAIL;
    return CURL_SEEKFUNC_OK;
}

static int add_header(struct http_request *r, const char *line)
{
    struct curl_slist *list = curl_slist_append(r->headers, line);

    if (!list)
        return -ENOMEM;
    r->headers = list;
    return 0;
}

/*
 * server_name: the URL gets that name, so that libcurl asks for it (SNI) and verifies it, the
 * connection goes to the real host, and the Host header keeps what the target was called.
 */
static int set_server_name(struct http_request *r, const char *url, const char *name)
{
    char *host = NULL, *port = NULL, *changed = NULL;
    struct buf line;
    int result = -EINVAL;
    CURLU *u = curl_url();

    buf_init(&line, 4096);
    if (!u)
        return -ENOMEM;
    if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        curl_url_set(u, CURLUPART_HOST, name, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_URL, &changed, 0) == CURLUE_OK &&
        buf_addf(&line, "Host: %s:%s", host, port) == 0 && add_header(r, buf_str(&line)) == 0) {
        buf_clear(&line);
        if (buf_addf(&line, "%s:%s:%s:%s", name, port, host, port) == 0)
            r->connect_to = curl_slist_append(NULL, buf_str(&line));
        if (r->connect_to &&
            curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, r->connect_to) == CURLE_OK &&
            curl_easy_setopt(r->easy, CURLOPT_URL, changed) == CURLE_OK)
            result = 0;
    }
    buf_done(&line);
    curl_free(host);
    curl_free(port);
    curl_free(changed);
    curl_url_cleanup(u);
    return result;
}

#define SET(option, value)                                            \
    do {                                                              \
        if (curl_easy_setopt(r->easy, (option), (value)) != CURLE_OK) \
            return -ENOMEM;                                           \
    } while (0)

/* What every request has in common: FACTS of libcurl that are unsafe by default. */
static int set_hardened(struct http_request *r, const char *user_agent)
{
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    /*
     * Minutes pass between two captures: a kept address would only be a stale one; and libcurl
     * walks through all that it keeps at each transfer.
     */
    SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    SET(CURLOPT_USERAGENT, user_agent);
    SET(CURLOPT_ERRORBUFFER, r->error);
    SET(CURLOPT_PRIVATE, r);
    SET(CURLOPT_SOCKOPTFUNCTION, on_open);
    SET(CURLOPT_SOCKOPTDATA, r);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, r);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, r);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, r);
    /* Else the end of a request whose name is still being looked up waits for the name server. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    return 0;
}

/* Connections are kept for callers that say so, and a capture neither takes nor leaves one. */
static int set_connection(struct http_request *r, const struct http_options *o)
{
    SET(CURLOPT_FORBID_REUSE, (long)!o->keep);
    SET(CURLOPT_FRESH_CONNECT, (long)!o->keep);
    SET(CURLOPT_MAXAGE_CONN, HTTP_IDLE_SECONDS);
    /* Up, so that the least time that is asked for is not none at all. */
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        (long)((o->connect_timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
    SET(CURLOPT_TIMEOUT_MS, (long)((o->timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
    if (o->unix_path && o->unix_path[0] == '@')
        SET(CURLOPT_ABSTRACT_UNIX_SOCKET, o->unix_path + 1);
    else if (o->unix_path)
        SET(CURLOPT_UNIX_SOCKET_PATH, o->unix_path);
    if (o->ca_file)
        SET(CURLOPT_CAINFO, o->ca_file);
    if (o->cert_file)
        SET(CURLOPT_SSLCERT, o->cert_file);
    if (o->key_file)
        SET(CURLOPT_SSLKEY, o->key_file);
    if (o->insecure_skip_verify) {
        SET(CURLOPT_SSL_VERIFYPEER, 0L);
        SET(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return 0;
}

/* As much as there is to send at once, within what libcurl takes. */
static long send_buffer(uint64_t size)
{
    if (size < SEND_BUFFER_MIN)
        return SEND_BUFFER_MIN;
    return size < SEND_BUFFER_MAX ? (long)size : SEND_BUFFER_MAX;
}

/* The length is known and announced: a body is never chunked. */
static int set_body(struct http_request *r, const struct http_options *o)
{
    int error = o->body ? source_init(&r->source, o->body) : 0;

    if (error < 0)
        return error;
    SET(CURLOPT_BUFFERSIZE, REPLY_BUFFER);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, send_buffer(r->source.size));
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->source.size);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, r);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, r);
    SET(CURLOPT_EXPECT_100_TIMEOUT_MS, EXPECT_WAIT_MS);
    if (o->max_rate > 0) {
        r->piece = (size_t)(o->max_rate / PIECES_A_SECOND);
        r->piece = r->piece < SMALLEST_PIECE ? SMALLEST_PIECE : r->piece;
        SET(CURLOPT_MAX_SEND_SPEED_LARGE,
            o->max_rate > INT64_MAX ? INT64_MAX : (curl_off_t)o->max_rate);
    }
    r->expects = o->expect_continue && r->source.size > 0;
    /* Else curl asks by itself from 1 MiB on, and waits for servers that do not know it. */
    return add_header(r, r->expects ? "Expect: 100-continue" : "Expect:");
}

static int set_method(struct http_request *r, const struct http_options *o)
{
    static const struct {
        const char *name;
        bool body, always; /* may have one; says so even when it has none */
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
        SET(CURLOPT_NOBODY, 1L);
    else if (i > 0)
        SET(CURLOPT_CUSTOMREQUEST, methods[i].name);
    return 0;
}

#undef SET

static int add_headers(struct http_request *r, const struct http_options *o)
{
    struct buf line;
    int error = o->authorization ? add_header(r, o->authorization) : 0;

    buf_init(&line, HTTP_HEADERS_MAX);
    for (size_t i = 0; error == 0 && i < o->n_headers; i++) {
        buf_clear(&line);
        error = header_format(&line, o->headers[i].name, o->headers[i].value);
        if (error == 0)
            error = add_header(r, buf_str(&line));
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
    error = set_hardened(r, user_agent);
    if (error == 0 && curl_easy_setopt(r->easy, CURLOPT_URL, o->url) != CURLE_OK)
        error = -ENOMEM;
    if (error == 0)
        error = set_connection(r, o);
    if (error == 0)
        error = set_method(r, o);
    if (error == 0)
        error = add_headers(r, o);
    if (error == 0 && o->server_name)
        error = set_server_name(r, o->url, o->server_name);
    if (error == 0 && r->headers &&
        curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers) != CURLE_OK)
        error = -ENOMEM;
    return error;
}
