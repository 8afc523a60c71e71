/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Decides whose requests the admin endpoint answers, from the request's own headers. It refuses
 * requests without a token if one is configured; pages of other sites in a browser on this machine
 * (known by Origin or Sec-Fetch-Site); and pages of sites that let their own name point to this
 * machine (DNS rebinding: Host is their own name). Pure.
 */

#include <stdbool.h>
#include <stddef.h>

/* Missing headers are NULL. Everything is borrowed. */
struct guard_request {
    const char *method;
    const char *host, *origin, *fetch_site, *authorization, *content_type;
    const char *fault; /* what head_fault says of its head */
    bool http_1_1;     /* HTTP/1.1 or later, so Host is required */
    bool has_body;
    bool open;         /* the route needs no token */
    bool unix_socket;  /* the file's permissions say who may connect */
    bool loopback;     /* the listener can be reached from this machine only */
    bool token_wanted; /* a token is configured */
    const void *token; /* NULL: the token could not be read */
    size_t token_len;
};

/* status 0: the request may be answered. Else the HTTP status, and a text for people: what is wrong
 * and what to do. */
struct guard_verdict {
    unsigned status;
    const char *text;
};

struct guard_verdict guard_check(const struct guard_request *request);

/* True if the header is "Bearer TOKEN". The time that this takes does not depend on where the
 * tokens differ. */
bool guard_token_matches(const char *authorization, const void *token, size_t len);

/* True if the value of a Host header is an address or a loopback name, and so no other site's
 * name. */
bool guard_host_is_plain(const char *host);
