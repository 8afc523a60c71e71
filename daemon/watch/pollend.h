/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How a poll of a target's metrics may end, in one table with the word for each. */

#include "lib/net/exchange.h"

enum pollend {
    POLLEND_OK,
    POLLEND_DNS,          /* the name did not resolve */
    POLLEND_CONNECT,      /* refused, unreachable, no such socket */
    POLLEND_TLS,          /* handshake or certificate */
    POLLEND_TIMEOUT,      /* not done in time */
    POLLEND_CLOSED,       /* the connection ended before the page did */
    POLLEND_PROTOCOL,     /* not HTTP, or not as contraced accepts it */
    POLLEND_REDIRECT,     /* 3xx: never followed */
    POLLEND_UNAUTHORIZED, /* 401 or 403 */
    POLLEND_MISSING,      /* 404 */
    POLLEND_HTTP_STATUS,  /* any other status but 200 */
    POLLEND_COMPRESSED,   /* a Content-Encoding, which was not asked for */
    POLLEND_TOO_LARGE,    /* more than POLL_BODY_MAX */
    POLLEND_NOT_METRICS,  /* 200, but the body is no metrics */
    POLLEND_CREDENTIALS,  /* a secret or certificate file cannot be used */
    POLLEND_RESOURCES,    /* contraced ran out of descriptors or memory */
    POLLEND_COUNT,
};

/* The word for logs, metrics and the API: "too_large". */
const char *pollend_name(enum pollend end);

/* What a person can do about it, to be appended to a message; "" if there is nothing to add. */
const char *pollend_hint(enum pollend end);

/* The end that a status other than 200 means, and that of a request that broke off. */
enum pollend pollend_of_status(long status);
enum pollend pollend_of_error(enum http_error error);
