/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The front of an http or https URL: scheme, host and port; and the one form in which all of
 * contraced says that host. What the Host header says must be what a signature covers, so that both
 * come from here. Pure.
 *
 * Source: RFC 9110, section 7.2; RFC 3986, section 3.2.
 */

#include <stdbool.h>
#include <stdint.h>

#define ORIGIN_HOST_SIZE 260 /* 253 letters of a name, or an address with its zone in brackets */
#define ORIGIN_NAME_SIZE (ORIGIN_HOST_SIZE + 6)

struct origin {
    bool https;
    char host[ORIGIN_HOST_SIZE]; /* as written; an IPv6 address in its brackets */
    uint16_t port;               /* the scheme's own where the URL has none */
};

/*
 * Takes the front of a URL. Returns its length, behind which path, query or nothing follows; or
 * -EINVAL: another scheme, no host or one with blanks or letters outside ASCII, a
 * user before it, a port that is none.
 */
int origin_parse(const char *url, struct origin *ret);

/* The host as Host and signatures have it: with its port, unless that is the scheme's own. */
void origin_name(const struct origin *o, char out[static ORIGIN_NAME_SIZE]);
