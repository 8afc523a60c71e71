/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The keys of a struct access: `basic_auth`, `authorization`, `tls_config` and those of the proxy,
 * with the same meaning in every section. Secrets are given as files; keys that would hold one are
 * refused, and no message shows their line.
 */

#include "lib/config/keys/table.h"
#include "lib/net/access.h"

#define ACCESS_PROXY_MAX 2048

/* The start of the hint for a key that is refused because it would hold a secret. */
#define ACCESS_NO_SECRETS \
    "a secret does not belong into this file; put it into one of its own and name that "

/* The rows of a struct that has its struct access as `access`. */
#define ACCESS_PROXY_KEYS(owner)                                        \
    {.name = "proxy_url",                                               \
     .type = TABLE_STRING,                                              \
     .flags = TABLE_NULLABLE,                                           \
     .offset = offsetof(struct owner, access.proxy.url),                \
     .max = ACCESS_PROXY_MAX},                                          \
        {.name = "no_proxy",                                            \
         .type = TABLE_STRING,                                          \
         .flags = TABLE_NULLABLE,                                       \
         .offset = offsetof(struct owner, access.proxy.no_proxy),       \
         .max = ACCESS_PROXY_MAX},                                      \
    {                                                                   \
        .name = "proxy_from_environment", .type = TABLE_BOOL,           \
        .offset = offsetof(struct owner, access.proxy.from_environment) \
    }

/* The first two fill a struct access_auth, the third a struct access_tls. */
extern const struct table access_keys_basic_auth;
extern const struct table access_keys_authorization;
extern const struct table access_keys_tls;

/* Sets the type Bearer if there is a credentials_file without one. 0 or -ENOMEM. */
int access_keys_fill(struct access_auth *auth);
