/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"

/*
 * Bytes read from a socket at a time: few system calls per MiB, and still small beside a service.
 */
#define RECEIVE_BUFFER (256L << 10)

#define HEADERS_TOO_LONG "the response's headers are longer than 64 KiB"

#define CURLE_TOO_LARGE_ ((CURLcode)100) /* CURLE_TOO_LARGE since 8.6.0 */

/* curl's timers are exact: a late one would delay a request. */
#define TIMER_ACCURACY USEC_PER_MSEC

struct http {
    sd_event *event;
    CURLM *multi;
    sd_event_source *timer;
    char *user_agent;
};

struct http_request {
    struct http *http;
    CURL *easy;
    struct curl_slist *headers;    /* may hold a secret: wiped */
    struct curl_slist *connect_to; /* for server_name */
    const struct http_handlers *handlers;
    void *userdata;
    int fd; /* the last one that was opened for this transfer */
    sd_event_source *failed; /* it is over, but curl will not say so: the end is still to come */
    bool unwatched;          /* because its socket could not be watched */
    size_t header_bytes;
    bool has_body;
    bool delimited;
    int socket_error; /* of socket(2), as a negative errno */
    const char *refused; /* why a header ended the transfer; static */
    char error[CURL_ERROR_SIZE];
};

static void drain(struct http *h);
static int on_failed(sd_event_source *s, void *userdata);

/* ---- the event loop ------------------------------------------------------------------------- */

static int on_socket_event(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
    struct http *h = userdata;
    int mask = 0, running;

    (void)s;
    if (revents & (EPOLLIN | EPOLLHUP))
        mask |= CURL_CSELECT_IN;
    if (revents & EPOLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (revents & EPOLLERR)
        mask |= CURL_CSELECT_ERR;
    (void)curl_multi_socket_action(h->multi, fd, mask, &running);
    drain(h);
    return 0;
}

static int on_timer(sd_event_source *s, uint64_t now, void *userdata)
{
    struct http *h = userdata;
    int running;

    (void)s;
    (void)now;
    (void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(h);
    return 0;
}

static uint32_t epoll_events(int what)
{
    switch (what) {
    case CURL_POLL_IN: return EPOLLIN;
    case CURL_POLL_OUT: return EPOLLOUT;
    case CURL_POLL_INOUT: return EPOLLIN | EPOLLOUT;
    default: return 0;
    }
}

/*
 * Ends a transfer that would wait for ever, and that one alone: if the callback returned -1, curl
 * would give up every transfer of the multi, and all that are still to come.
 */
static void cannot_watch(struct http *h, CURL *easy, int error)
{
    struct http_request *r = NULL;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&r);
    (void)snprintf(r->error, sizeof r->error, "cannot watch the socket: %s", strerror(-error));
    r->unwatched = true;
    if (!r->failed)
        (void)sd_event_add_defer(h->event, &r->failed, on_failed, r);
}

/* CURLMOPT_SOCKETFUNCTION: watch this descriptor for that. The source hangs on curl's socket. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp)
{
    struct http *h = userdata;
    sd_event_source *source = socketp;
    int r;

    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        return 0;
    }
    if (source) {
        r = sd_event_source_set_io_events(source, epoll_events(what));
    } else {
        r = sd_event_add_io(h->event, &source, fd, epoll_events(what), on_socket_event, h);
        if (r >= 0 && curl_multi_assign(h->multi, fd, source) != CURLM_OK) {
            sd_event_source_disable_unref(source);
            r = -ENOMEM;
        }
    }
    if (r < 0)
        cannot_watch(h, easy, r);
    return 0;
}

/* CURLMOPT_TIMERFUNCTION: call curl in this many milliseconds, or not at all (-1). */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *userdata)
{
    struct http *h = userdata;

    (void)multi;
    if (timeout_ms < 0)
        return sd_event_source_set_enabled(h->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
    if (sd_event_source_set_time_relative(h->timer, (uint64_t)timeout_ms * USEC_PER_MSEC) < 0 ||
        sd_event_source_set_enabled(h->timer, SD_EVENT_ONESHOT) < 0)
        return -1;
    return 0;
}

/* ---- the end of a transfer ------------------------------------------------------------------ */

static enum http_error error_of(CURLcode code, long os_errno)
{
    if (os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS || os_errno == ENOMEM)
        return HTTP_LOCAL;
    switch (code) {
    case CURLE_OK:
        return HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return HTTP_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
        return HTTP_TLS;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
        return HTTP_TLS_FILE;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return HTTP_CLOSED;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
        return HTTP_ABORTED;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return HTTP_LOCAL;
    default:
        return HTTP_PROTOCOL;
    }
}

static void wipe_list(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        explicit_bzero(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

static void request_free(struct http_request *r)
{
    sd_event_source_disable_unref(r->failed);
    if (r->easy) {
        (void)curl_multi_remove_handle(r->http->multi, r->easy);
        curl_easy_cleanup(r->easy);
    }
    wipe_list(r->headers);
    curl_slist_free_all(r->connect_to);
    free(r);
}

/*
 * A header line longer than curl's own buffer (100 KiB) is CURLE_OUT_OF_MEMORY to it, or
 * CURLE_TOO_LARGE in newer versions: the peer's doing, not ours.
 */
static bool headers_overflowed(const struct http_request *r, CURLcode code)
{
    curl_off_t first_byte = 0;

    if (code != CURLE_OUT_OF_MEMORY && code != CURLE_TOO_LARGE_)
        return false;
    (void)curl_easy_getinfo(r->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
    return first_byte > 0 && !r->has_body;
}

static void fill_result(const struct http_request *r, CURLcode code, struct http_result *ret)
{
    long os_errno = 0;

    *ret = (struct http_result){.delimited = r->delimited};
    (void)curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_errno);
    (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &ret->status);
    if (r->socket_error < 0)
        os_errno = -r->socket_error;
    ret->error = error_of(code, code == CURLE_OK ? 0 : os_errno);
    if (!r->refused && headers_overflowed(r, code)) {
        ret->error = HTTP_PROTOCOL;
        (void)snprintf(ret->text, sizeof ret->text, "%s", HEADERS_TOO_LONG);
    } else if (r->refused) {
        ret->error = HTTP_PROTOCOL;
        (void)snprintf(ret->text, sizeof ret->text, "%s", r->refused);
    } else if (ret->error == HTTP_CONNECT && os_errno != 0) {
        /* curl names the host of the URL, which for a unix socket is not where it connected to. */
        (void)snprintf(ret->text, sizeof ret->text, "%s", strerror((int)os_errno));
    } else if (code != CURLE_OK) {
        (void)snprintf(ret->text, sizeof ret->text, "%.*s", HTTP_TEXT_MAX - 1,
                       r->error[0] ? r->error : curl_easy_strerror(code));
    }
}

static void finish(struct http_request *r, CURLcode code)
{
    const struct http_handlers *handlers = r->handlers;
    void *userdata = r->userdata;
    struct http_result result;

    fill_result(r, code, &result);
    request_free(r);
    handlers->finished(userdata, &result);
}

/* CURLE_FAILED_INIT is what curl calls a lack of descriptors or memory on this side. */
static int on_failed(sd_event_source *s, void *userdata)
{
    struct http_request *r = userdata;

    (void)s;
    finish(r, r->unwatched ? CURLE_FAILED_INIT : CURLE_WRITE_ERROR);
    return 0;
}

/* Ends what curl says is done: the queue is read until it is empty. */
static void drain(struct http *h)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(h->multi, &left))) {
        struct http_request *r = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        finish(r, message->data.result);
    }
}

/* ---- the response --------------------------------------------------------------------------- */

static bool header_is(const char *line, size_t n, const char *name, const char **ret_value,
                      size_t *ret_len)
{
    size_t len = strlen(name);

    if (n <= len || strncasecmp(line, name, len) != 0 || line[len] != ':')
        return false;
    line += len + 1;
    n -= len + 1;
    while (n > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        n--;
    }
    while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
        n--;
    *ret_value = line;
    *ret_len = n;
    return true;
}

/*
 * CURLOPT_HEADERFUNCTION: bounds the headers and refuses what was not asked for. libcurl undoes an
 * unrequested `Transfer-Encoding: gzip` by itself, a bomb for whoever trusts the length on the
 * wire.
 */
static size_t on_header(char *line, size_t size, size_t n, void *userdata)
{
    struct http_request *r = userdata;
    const char *value;
    size_t len;

    n *= size;
    r->header_bytes += n;
    if (r->header_bytes > HTTP_HEADERS_MAX) {
        r->refused = HEADERS_TOO_LONG;
        return 0;
    }
    if (header_is(line, n, "Transfer-Encoding", &value, &len)) {
        if (len != strlen("chunked") || strncasecmp(value, "chunked", len) != 0) {
            r->refused = "a Transfer-Encoding other than chunked was not asked for";
            return 0;
        }
        r->delimited = true;
    } else if (header_is(line, n, "Content-Length", &value, &len)) {
        r->delimited = true;
    }
    return n;
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
    if (taken == HTTP_PAUSE)
        return CURL_WRITEFUNC_PAUSE;
    /* An empty piece would look like success if HTTP_ABORT were returned as 0 of 0 bytes. */
    return taken < 0 ? size * n + 1 : (size_t)taken;
}

long http_status(const struct http_request *r)
{
    long status = 0;

    (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

int http_socket(const struct http_request *r)
{
    return r->fd;
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

/* ---- the request ---------------------------------------------------------------------------- */

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

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (curl_easy_setopt(r->easy, (option), (value)) != CURLE_OK)                              \
            return -ENOMEM;                                                                        \
    } while (0)

/* What every request has in common: FACTS of libcurl that are unsafe by default. */
static int set_hardened(struct http_request *r)
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
     * Minutes pass between two captures of a target: a kept connection would only be a stale one.
     */
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_FRESH_CONNECT, 1L);
    /* A kept address likewise; and libcurl walks through all that it keeps at each transfer. */
    SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    SET(CURLOPT_USERAGENT, r->http->user_agent);
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

static int set_options(struct http_request *r, const struct http_options *o)
{
    int error;

    SET(CURLOPT_URL, o->url);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(o->connect_timeout / USEC_PER_MSEC));
    SET(CURLOPT_TIMEOUT_MS, (long)(o->timeout / USEC_PER_MSEC));
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
    if (o->authorization) {
        error = add_header(r, o->authorization);
        if (error < 0)
            return error;
    }
    if (o->server_name) {
        error = set_server_name(r, o->url, o->server_name);
        if (error < 0)
            return error;
    }
    if (r->headers)
        SET(CURLOPT_HTTPHEADER, r->headers);
    return 0;
}

#undef SET

int http_start(struct http *h, const struct http_options *options,
               const struct http_handlers *handlers, void *userdata, struct http_request **ret)
{
    struct http_request *r = calloc(1, sizeof *r);
    int error;

    if (!r)
        return -ENOMEM;
    *r = (struct http_request){.http = h, .handlers = handlers, .userdata = userdata, .fd = -1};
    r->easy = curl_easy_init();
    error = r->easy ? set_hardened(r) : -ENOMEM;
    if (error == 0)
        error = set_options(r, options);
    if (error == 0 && curl_multi_add_handle(h->multi, r->easy) != CURLM_OK)
        error = -ENOMEM;
    if (error < 0) {
        request_free(r);
        return error;
    }
    *ret = r;
    return 0;
}

void http_cancel(struct http_request *r)
{
    if (r)
        request_free(r);
}

/*
 * curl hands over what it kept from within curl_easy_pause. When the handler refuses it there, curl
 * says so here and nowhere else: without another byte or a timeout the transfer would never end.
 */
void http_resume(struct http_request *r)
{
    if (curl_easy_pause(r->easy, CURLPAUSE_CONT) != CURLE_OK && !r->failed)
        (void)sd_event_add_defer(r->http->event, &r->failed, on_failed, r);
}

/* ---- the multi ------------------------------------------------------------------------------ */

int http_new(sd_event *event, const char *user_agent, struct http **ret)
{
    struct http *h;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -EIO;
    h = calloc(1, sizeof *h);
    if (!h) {
        curl_global_cleanup();
        return -ENOMEM;
    }
    h->event = sd_event_ref(event);
    h->user_agent = strdup(user_agent);
    h->multi = curl_multi_init();
    if (!h->user_agent || !h->multi ||
        sd_event_add_time(event, &h->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer, h) < 0 ||
        sd_event_source_set_enabled(h->timer, SD_EVENT_OFF) < 0 ||
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK) {
        http_free(h);
        return -ENOMEM;
    }
    *ret = h;
    return 0;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    if (h->multi)
        (void)curl_multi_cleanup(h->multi);
    sd_event_source_disable_unref(h->timer);
    sd_event_unref(h->event);
    free(h->user_agent);
    free(h);
    curl_global_cleanup();
}
