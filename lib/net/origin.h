/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The origin of an http or https URL (scheme, host and port), and the form in which contraced
 * writes that host. The Host header must equal what a signature covers, so both come from here.
 * Pure. Source: RFC 9110, section 7.2; RFC 3986, section 3.2.
 */

#include <stdbool.h>
#include <stdint.h>

#define ORIGIN_HOST_SIZE 260 /* 253 letters of a name, or an address with its zone in brackets */
#define ORIGIN_NAME_SIZE (ORIGIN_HOST_SIZE + 6)

struct origin {
    bool https;
    char host[ORIGIN_HOST_SIZE]; /* as written; an IPv6 address in its brackets */
    uint16_t port;               /* the scheme's default if the URL has none */
};

/*
 * Reads the origin at the start of a URL. Returns its length; a path, a query or nothing follows.
 * -EINVAL: another scheme, no host, blanks or non-ASCII letters in the host, a user before it, or a
 * wrong port.
 */
int origin_parse(const char *url, struct origin *ret);

/* The host for the Host header and for signatures: with the port unless it is the scheme's
 * default. */
void origin_name(const struct origin *o, char out[static ORIGIN_NAME_SIZE]);
