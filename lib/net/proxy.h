/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which proxy a request goes through: the one of the configuration, or what the environment says,
 * read as Go reads it (golang.org/x/net/http/httpproxy), so that one setting serves contraced and
 * the services beside it. A proxy's URL may hold a password: no message repeats more of it than
 * scheme, host and port.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/origin.h"

#define PROXY_WHY_MAX 160
#define PROXY_NAME_SIZE (ORIGIN_HOST_SIZE + 24)

/* Zero: none. A request borrows it. */
struct proxy {
    char *url;             /* NULL: none, or the environment's */
    char *no_proxy;        /* hosts that are reached without `url` */
    bool from_environment; /* HTTPS_PROXY, HTTP_PROXY and NO_PROXY count where there is no `url` */
};

/*
 * The proxy for a request to `to`: *ret is NULL for none, or its URL in libcurl's form, to be
 * released with proxy_free. *ret_setting is what says so, in static text: "proxy_url", or the name
 * of a variable. By the environment this machine itself is reached without one. 0, -ENOMEM, or
 * -EINVAL with a text: a variable holds no URL of a proxy.
 */
int proxy_find(const struct proxy *p, const struct origin *to, char **ret, const char **ret_setting,
               char why[static PROXY_WHY_MAX]);
void proxy_free(char *url);

/*
 * True if `no_proxy` names the host: "*", a name and all below it, ".name" for what is below it
 * alone, an address, a CIDR; each but the last with ":port", if only that port is meant.
 */
bool proxy_excepts(const char *no_proxy, const char *host, uint16_t port);

/* What is wrong with the URL of a proxy, in static text; NULL: nothing. */
const char *proxy_check(const char *url);

/* True if there is a user or a password in it. */
bool proxy_has_secret(const char *url);

/* "http://proxy.example:3128", for people. */
void proxy_name(const char *url, char out[static PROXY_NAME_SIZE]);
