/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The URL of a store as text: its kind of store, and common mistakes. lib/store parses what follows
 * the scheme; only secrets are found here, so that no message shows them.
 */

#include <stdbool.h>
#include <stddef.h>

enum upload_scheme {
    UPLOAD_S3 = 1 << 0,
    UPLOAD_GS = 1 << 1,
    UPLOAD_AZ = 1 << 2,
    UPLOAD_HTTPS = 1 << 3,
    UPLOAD_HTTP = 1 << 4,
    UPLOAD_FILE = 1 << 5,
};

#define UPLOAD_WHY_MAX 512

/* 0 for none of them. */
enum upload_scheme upload_url_scheme(const char *url);

/* "s3://" */
const char *upload_scheme_name(enum upload_scheme scheme);

/*
 * True if the URL of a store or endpoint may hold a secret: it has a user before the host, or a
 * query. *ret_why says in static text what to do instead. Such a URL must not be shown.
 */
bool upload_url_has_secret(const char *url, const char **ret_why);

/*
 * Checks the URL of a store, which has no secret. 0; -EINVAL with a text that says what to write
 * instead; -ENOMEM.
 */
int upload_url_check(const char *url, char why[static UPLOAD_WHY_MAX]);

/* The same for http(s)://host[:port][/path] of a store. */
int upload_endpoint_check(const char *endpoint, char why[static UPLOAD_WHY_MAX]);

/* 1 for http:// to another machine, as others can read what is sent. 0 or -ENOMEM. */
int upload_url_is_open(const char *url);
