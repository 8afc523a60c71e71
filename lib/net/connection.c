/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How a request reaches its server: straight, through a proxy or by a unix socket; what the server
 * is called there; and which certificates count.
 */

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/net/origin.h"
#include "lib/net/request.h"

#define AUTHORITIES_MAX (4u << 20) /* bytes of all certificates of authorities */

/*
 * Nothing but what the caller says: libcurl would ask the environment by itself where no proxy is
 * set, and where exceptions are not.
 */
static int set_proxy(struct http_request *r, const struct http_options *o, const struct origin *to)
{
    char why[PROXY_WHY_MAX];
    int error =
        o->proxy && !o->unix_path ? proxy_find(o->proxy, to, &r->proxy, &r->proxy_setting, why) : 0;

    if (error == -EINVAL) {
        (void)snprintf(r->error, sizeof(r->error), "%s", why);
        r->misdirected = true;
    }
    REQUEST_SET(r, CURLOPT_PROXY, r->proxy ? r->proxy : "");
    REQUEST_SET(r, CURLOPT_NOPROXY, "");
    if (!r->proxy)
        return error == -EINVAL ? 0 : error;
    REQUEST_SET(r, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    REQUEST_SET(r, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (o->tls.insecure_skip_verify) {
        REQUEST_SET(r, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
        REQUEST_SET(r, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
    }
    return 0;
}

/*
 * libcurl takes one file: the system's and ca_file go into memory together. Whatever cannot be read
 * is left to libcurl, which says so.
 */
static int set_authorities_beside(struct http_request *r, const char *ca_file)
{
    const char *system = curl_version_info(CURLVERSION_NOW)->cainfo;
    struct curl_blob blob = {.flags = CURL_BLOB_COPY};
    struct buf all;
    int error;

    buf_init(&all, AUTHORITIES_MAX);
    if (system)
        (void)buf_read_file(&all, system);
    error = all.len > 0 ? buf_adds(&all, "\n") : 0;
    if (error == 0)
        error = buf_read_file(&all, ca_file);
    if (error == 0) {
        blob.data = all.data;
        blob.len = all.len;
        if (curl_easy_setopt(r->easy, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK ||
            (r->proxy && curl_easy_setopt(r->easy, CURLOPT_PROXY_CAINFO_BLOB, &blob) != CURLE_OK))
            error = -ENOMEM;
    }
    buf_done(&all);
    return error;
}

static int set_authorities(struct http_request *r, const struct http_options *o)
{
    int error = o->ca_beside ? set_authorities_beside(r, o->tls.ca_file) : -ENOENT;

    if (error == 0 || error == -ENOMEM)
        return error;
    REQUEST_SET(r, CURLOPT_CAINFO, o->tls.ca_file);
    if (r->proxy)
        REQUEST_SET(r, CURLOPT_PROXY_CAINFO, o->tls.ca_file);
    return 0;
}

static int set_certificates(struct http_request *r, const struct http_options *o)
{
    int error = o->tls.ca_file ? set_authorities(r, o) : 0;

    if (error < 0)
        return error;
    if (o->tls.cert_file)
        REQUEST_SET(r, CURLOPT_SSLCERT, o->tls.cert_file);
    if (o->tls.key_file)
        REQUEST_SET(r, CURLOPT_SSLKEY, o->tls.key_file);
    if (o->tls.insecure_skip_verify) {
        REQUEST_SET(r, CURLOPT_SSL_VERIFYPEER, 0L);
        REQUEST_SET(r, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return 0;
}

/* Connections are kept for callers that say so, and a capture neither takes nor leaves one. */
static int set_connection(struct http_request *r, const struct http_options *o)
{
    REQUEST_SET(r, CURLOPT_FORBID_REUSE, (long)!o->keep);
    REQUEST_SET(r, CURLOPT_FRESH_CONNECT, (long)!o->keep);
    REQUEST_SET(r, CURLOPT_MAXAGE_CONN, HTTP_IDLE_SECONDS);
    /* Up, so that the least time that is asked for is not none at all. */
    REQUEST_SET(r, CURLOPT_CONNECTTIMEOUT_MS,
                (long)((o->connect_timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
    REQUEST_SET(r, CURLOPT_TIMEOUT_MS, (long)((o->timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
    if (o->unix_path && o->unix_path[0] == '@')
        REQUEST_SET(r, CURLOPT_ABSTRACT_UNIX_SOCKET, o->unix_path + 1);
    else if (o->unix_path)
        REQUEST_SET(r, CURLOPT_UNIX_SOCKET_PATH, o->unix_path);
    return 0;
}

/* What a signature covers; libcurl's own idea of it changes with server_name and between
 * versions. */
static int set_host(struct http_request *r, const struct origin *to)
{
    char line[sizeof("Host: ") + ORIGIN_NAME_SIZE], name[ORIGIN_NAME_SIZE];

    origin_name(to, name);
    (void)snprintf(line, sizeof(line), "Host: %s", name);
    return request_add_header(r, line);
}

/*
 * server_name: the URL gets that name, so that libcurl asks for it (SNI) and verifies it, and the
 * connection goes to the real host.
 */
static int set_server_name(struct http_request *r, const struct origin *to, const char *rest,
                           const char *name)
{
    _cleanup_free_ char *url = NULL, *way = NULL;

    if (asprintf(&url, "%s://%s:%u%s", to->https ? "https" : "http", name, to->port, rest) < 0 ||
        asprintf(&way, "%s:%u:%s:%u", name, to->port, to->host, to->port) < 0)
        return -ENOMEM;
    r->connect_to = curl_slist_append(NULL, way);
    if (!r->connect_to)
        return -ENOMEM;
    REQUEST_SET(r, CURLOPT_CONNECT_TO, r->connect_to);
    REQUEST_SET(r, CURLOPT_URL, url);
    return 0;
}

/* What is no URL at all is libcurl's to refuse, with its reason. */
int connection_init(struct http_request *r, const struct http_options *o)
{
    struct origin to = {0};
    int n = origin_parse(o->url, &to);
    int error = 0;

    REQUEST_SET(r, CURLOPT_URL, o->url);
    if (n < 0 && o->tls.server_name)
        return -EINVAL;
    if (n > 0)
        error = set_host(r, &to);
    if (error == 0 && n > 0 && o->tls.server_name)
        error = set_server_name(r, &to, o->url + n, o->tls.server_name);
    if (error == 0)
        error = set_connection(r, o);
    if (error == 0)
        error = set_proxy(r, o, &to);
    return error < 0 ? error : set_certificates(r, o);
}
