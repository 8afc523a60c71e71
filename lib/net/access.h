/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who we are to a server, how we know that server, and through which proxy it is reached. The
 * configuration fills it, and it is carried as it is to the request. Secrets are named by their
 * files, which are read at each use, and never kept here.
 */

#include <stdbool.h>

#include "lib/net/proxy.h"

/* A token from a file goes before a user with a password. Each may be NULL. */
struct access_auth {
    char *basic_username;
    char *basic_password_file;
    char *type; /* before the token; NULL: Bearer */
    char *credentials_file;
};

struct access_tls {
    char *ca_file;
    char *cert_file;
    char *key_file;
    char *server_name; /* ask for this name (SNI) and verify it, instead of the URL's */
    bool insecure_skip_verify;
};

struct access {
    struct access_auth auth;
    struct access_tls tls;
    struct proxy proxy;
};

/* A copy, to be released with access_done. 0, or -ENOMEM and *ret holds nothing. */
int access_copy(const struct access *from, struct access *ret);
void access_done(struct access *a);
