/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who contraced is to a server and how it knows that server: `basic_auth`, `authorization`,
 * `tls_config`, and through which proxy; they mean the same wherever they stand. Secrets are named by their files; keys
 * that would hold one are refused, and a line with such a key is never shown.
 */

#include "lib/config/data.h"
#include "lib/config/table.h"

#define ACCESS_PROXY_MAX 2048

/* Begins the hint of a row that refuses a secret. */
#define ACCESS_NO_SECRETS \
    "a secret does not belong into this file; put it into one of its own and name that "

/* The rows of a struct that has its struct proxy_config as `proxy`. */
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

/* credentials_file without a type is for Bearer. 0 or -ENOMEM. */
int access_fill(struct auth_config *auth);

void access_done(struct auth_config *auth, struct tls_config *tls, struct proxy_config *proxy);
