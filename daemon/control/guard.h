/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who may ask the admin endpoint: pure rules over what a request says of itself. They keep out
 * whoever has no token where one is asked for, pages of other sites that a browser on this machine
 * shows (their Origin, or Sec-Fetch-Site), and pages that had their name point to this machine (DNS
 * rebinding: their Host is their own name).
 */

#include <stdbool.h>
#include <stddef.h>

/* Headers are NULL when they are not there. All is borrowed. */
struct guard_request {
    const char *method;
    const char *host, *origin, *fetch_site, *authorization, *content_type;
    const char *fault; /* of its head: what head_fault says */
    bool http_1_1;     /* or later: Host is required */
    bool has_body;
    bool open;         /* the route needs no token */
    bool unix_socket;  /* the file's permissions say who may connect */
    bool loopback;     /* the listener hears this machine only */
    bool token_wanted; /* a token is configured */
    const void *token; /* NULL: it could not be read */
    size_t token_len;
};

/* 0: it may be answered. Else the HTTP status and, for people, what is wrong and what to do. */
struct guard_verdict {
    unsigned status;
    const char *text;
};

struct guard_verdict guard_check(const struct guard_request *request);

/* "Bearer TOKEN", compared in a time that depends on neither token. */
bool guard_token_matches(const char *authorization, const void *token, size_t len);

/* The value of a Host header is an address or a loopback name: no other site's. */
bool guard_host_is_plain(const char *host);
