/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Authentication, TLS and proxy of a server: `basic_auth`, `authorization`, `tls_config`,
 * `proxy_url`, with the same meaning in every section. Secrets are given as files; keys that would
 * hold one are refused, and no message shows their line.
 */

#include "lib/config/data.h"
#include "lib/config/table.h"

#define ACCESS_PROXY_MAX 2048

/* The start of the hint for a key that is refused because it would hold a secret. */
#define ACCESS_NO_SECRETS \
    "a secret does not belong into this file; put it into one of its own and name that "

/* The rows for a struct with a member `struct proxy_config proxy`. */
#define ACCESS_PROXY_KEYS(owner)                                 \
    {.name = "proxy_url",                                        \
     .type = TABLE_STRING,                                       \
     .flags = TABLE_NULLABLE,                                    \
     .offset = offsetof(struct owner, proxy.url),                \
     .max = ACCESS_PROXY_MAX},                                   \
        {.name = "no_proxy",                                     \
         .type = TABLE_STRING,                                   \
         .flags = TABLE_NULLABLE,                                \
         .offset = offsetof(struct owner, proxy.no_proxy),       \
         .max = ACCESS_PROXY_MAX},                               \
    {                                                            \
        .name = "proxy_from_environment", .type = TABLE_BOOL,    \
        .offset = offsetof(struct owner, proxy.from_environment) \
    }

/* The first two fill a struct auth_config, the third a struct tls_config. */
extern const struct table access_basic_auth;
extern const struct table access_authorization;
extern const struct table access_tls;

/* Sets the type Bearer if there is a credentials_file without one. 0 or -ENOMEM. */
int access_fill(struct auth_config *auth);

void access_done(struct auth_config *auth, struct tls_config *tls, struct proxy_config *proxy);
