/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch/pollend.h"

static const struct row {
    const char *name, *hint;
} table[] = {
    [POLLEND_OK] = {"ok", ""},
    [POLLEND_DNS] = {"dns", ""},
    [POLLEND_CONNECT] = {"connect", ""},
    [POLLEND_TLS] = {"tls", "; check tls_config (ca_file, server_name)"},
    [POLLEND_TIMEOUT] = {"timeout", ""},
    [POLLEND_CLOSED] = {"closed", ""},
    [POLLEND_PROTOCOL] = {"protocol", "; is this the address of the service's metrics?"},
    [POLLEND_REDIRECT] = {"redirect", "; redirects are not followed: set metrics.path to where the "
                                      "metrics really are"},
    [POLLEND_UNAUTHORIZED] = {"unauthorized", "; check the job's basic_auth or authorization"},
    [POLLEND_MISSING] = {"missing", "; set metrics.path to where the service serves its metrics"},
    [POLLEND_HTTP_STATUS] = {"http_status", "; does the service serve metrics at this path?"},
    [POLLEND_COMPRESSED] = {"compressed", "; it was not asked for: except this path from what "
                                          "compresses answers (a middleware or a proxy)"},
    [POLLEND_TOO_LARGE] = {"too_large", "; does the service make a series for each user or "
                                        "request? Name a path with fewer in metrics.path"},
    [POLLEND_NOT_METRICS] = {"not_metrics", "; does the service serve metrics at this path?"},
    [POLLEND_CREDENTIALS] = {"credentials", ""},
    [POLLEND_RESOURCES] = {"resources",
                           "; raise the limit that is short, LimitNOFILE or MemoryMax"},
};

_Static_assert(sizeof(table) / sizeof(table[0]) == POLLEND_COUNT, "one row for each end");

const char *pollend_name(enum pollend end)
{
    return table[end].name;
}

const char *pollend_hint(enum pollend end)
{
    return table[end].hint;
}

enum pollend pollend_of_status(long status)
{
    if (status == 401 || status == 403)
        return POLLEND_UNAUTHORIZED;
    if (status == 404)
        return POLLEND_MISSING;
    return status >= 300 && status < 400 ? POLLEND_REDIRECT : POLLEND_HTTP_STATUS;
}

enum pollend pollend_of_error(enum http_error error)
{
    switch (error) {
    case HTTP_OK: return POLLEND_OK;
    case HTTP_DNS: return POLLEND_DNS;
    case HTTP_PROXY:
    case HTTP_PROXY_REFUSED:
    case HTTP_CONNECT: return POLLEND_CONNECT;
    case HTTP_TLS: return POLLEND_TLS;
    case HTTP_TLS_FILE: return POLLEND_CREDENTIALS;
    case HTTP_TIMEOUT: return POLLEND_TIMEOUT;
    case HTTP_CLOSED: return POLLEND_CLOSED;
    case HTTP_LOCAL: return POLLEND_RESOURCES;
    case HTTP_ABORTED:
    case HTTP_PROTOCOL: break;
    }
    return POLLEND_PROTOCOL;
}
