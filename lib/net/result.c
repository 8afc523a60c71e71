/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The meaning of a transfer's end: who caused it, and the text for people.
 */

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/net/request.h"

#define CURLE_TOO_LARGE_ ((CURLcode)100) /* CURLE_TOO_LARGE since 8.6.0 */

static enum http_error error_of(CURLcode code, long os_errno)
{
    if (os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS || os_errno == ENOMEM)
        return HTTP_LOCAL;
    switch (code) {
    case CURLE_OK: return HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_DNS;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return HTTP_PROXY;
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

/*
 * For a header line over 100 KiB curl returns CURLE_OUT_OF_MEMORY, or CURLE_TOO_LARGE in newer
 * versions: the peer's fault, not ours.
 */
static bool headers_overflowed(const struct http_request *r, CURLcode code)
{
    curl_off_t first_byte = 0;

    if (code == CURLE_TOO_LARGE_)
        return !r->has_body;
    /* Older versions have no code for it. */
    if (code != CURLE_OUT_OF_MEMORY)
        return false;
    (void)curl_easy_getinfo(r->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
    return first_byte > 0 && !r->has_body;
}

/*
 * A server may send its whole answer, announce a close and stop reading. That the rest could not be
 * sent is no failure then.
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

/* Bytes that the kernel has accepted count as sent: more cannot be known here. */
static bool all_was_sent(const struct http_request *r)
{
    curl_off_t body = 0;
    long head = 0;

    (void)curl_easy_getinfo(r->easy, CURLINFO_SIZE_UPLOAD_T, &body);
    (void)curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &head);
    return head > 0 && (uint64_t)body >= r->source.size;
}

/*
 * Errors of the proxy: it cannot be reached, it refuses us (407, or a 4xx to CONNECT), or it cannot
 * reach the server (a 5xx to CONNECT). HTTP_OK: none that can be told from the server's. A 407
 * counts however the connection ended, as a proxy may not read the body that it refuses.
 */
static enum http_error proxy_error(const struct http_request *r, CURLcode code, long status,
                                   long *ret_status)
{
    long connect = 0;

    if (r->misdirected)
        return HTTP_PROXY_REFUSED;
    if (!r->proxy)
        return HTTP_OK;
    (void)curl_easy_getinfo(r->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
    *ret_status = code == CURLE_OK || status == 407 ? status : connect;
    if (code == CURLE_OK || status == 407)
        return status == 407 ? HTTP_PROXY_REFUSED : HTTP_OK;
    if (connect >= 300)
        return connect < 500 ? HTTP_PROXY_REFUSED : HTTP_PROXY;
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY ||
                   code == CURLE_PROXY
             ? HTTP_PROXY
             : HTTP_OK;
}

static bool find_server(const struct http_request *r, struct origin *ret)
{
    const char *url = NULL;

    (void)curl_easy_getinfo(r->easy, CURLINFO_EFFECTIVE_URL, &url);
    return url && origin_parse(url, ret) > 0;
}

/* Names the proxy and its setting: "http://proxy.example:3128 (HTTPS_PROXY)". */
static void name_proxy(const struct http_request *r, char out[static PROXY_NAME_SIZE])
{
    char name[PROXY_NAME_SIZE];

    proxy_name(r->proxy, name);
    (void)snprintf(out, PROXY_NAME_SIZE, "%.80s (%s)", name, r->proxy_setting);
}

/* Names the proxy and its answer; `text` is what else is known. tinyproxy sends 401 for 407. */
static void blame_proxy(const struct http_request *r, const char *proxy, long status,
                        const char *text, char out[static HTTP_TEXT_MAX])
{
    char server[ORIGIN_NAME_SIZE] = "the server";
    struct origin o;

    if (find_server(r, &o))
        origin_name(&o, server);
    if (status == 407 || status == 401)
        (void)snprintf(out, HTTP_TEXT_MAX,
                       "the proxy %.100s wants a user and a password that it accepts (%ld)", proxy,
                       status);
    else if (status >= 300)
        (void)snprintf(out, HTTP_TEXT_MAX, "the proxy %.100s %s connect to %.90s (%ld)", proxy,
                       status < 500 ? "refuses to" : "cannot", server, status);
    else
        (void)snprintf(out, HTTP_TEXT_MAX, "the proxy %.100s: %.120s", proxy, text);
}

/* Through a tunnel only the server answers, and SOCKS has no HTTP answers. */
static bool may_answer(const struct http_request *r)
{
    struct origin o;

    return r->proxy && strncmp(r->proxy, "http", 4) == 0 && find_server(r, &o) && !o.https;
}

static void write_text(const struct http_request *r, struct http_result *ret, const char *text,
                       long proxy_status)
{
    bool proxied = r->proxy != NULL && ret->error != HTTP_LOCAL;

    if (ret->error == HTTP_PROXY || (ret->error == HTTP_PROXY_REFUSED && !r->misdirected))
        blame_proxy(r, ret->proxy, proxy_status, text ? text : "", ret->text);
    else if (text && proxied)
        (void)snprintf(ret->text, sizeof(ret->text), "through the proxy %.100s: %.120s", ret->proxy,
                       text);
    else if (text)
        (void)snprintf(ret->text, sizeof(ret->text), "%.*s", HTTP_TEXT_MAX - 1, text);
}

static const char *text_of(const struct http_request *r, CURLcode code, long os_errno)
{
    if (r->refused || headers_overflowed(r, code))
        return r->refused ? r->refused : REQUEST_HEADERS_TOO_LONG;
    if (r->source.error[0] || r->out_of_memory)
        return r->out_of_memory ? strerror(ENOMEM) : r->source.error;
    /* curl's text names the URL's host, which is wrong for a unix socket. */
    if (os_errno != 0 && code == CURLE_COULDNT_CONNECT)
        return strerror((int)os_errno);
    if (code == CURLE_OK)
        return NULL;
    return r->error[0] ? r->error : curl_easy_strerror(code);
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
    long os_errno = 0, proxy_status = 0;
    enum http_error of_proxy;

    if (r->expectation_failed || refused_early(r, code))
        code = CURLE_OK;
    else if (code == CURLE_OK && !r->head_ended)
        code = CURLE_RECV_ERROR; /* curl accepts headers that are cut as complete */
    *ret = (struct http_result){
        .delimited = r->delimited, .sent_all = all_was_sent(r), .taken = time_taken(r)};
    if (r->proxy)
        name_proxy(r, ret->proxy);
    (void)curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_errno);
    (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &ret->status);
    if (r->expectation_failed)
        ret->status = 417;
    if (r->socket_error < 0)
        os_errno = -r->socket_error;
    ret->error = error_of(code, code == CURLE_OK ? 0 : os_errno);
    of_proxy = proxy_error(r, code, ret->status, &proxy_status);
    if (r->refused || headers_overflowed(r, code)) {
        ret->error = HTTP_PROTOCOL;
    } else if (r->source.error[0] || r->out_of_memory) {
        ret->error = HTTP_LOCAL;
    } else if (of_proxy != HTTP_OK && ret->error != HTTP_LOCAL) {
        ret->error = of_proxy;
        ret->status = 0;
        ret->sent_all = false;
    }
    write_text(r, ret, text_of(r, code, os_errno), proxy_status);
    if (!may_answer(r))
        ret->proxy[0] = '\0';
}
