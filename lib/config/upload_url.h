/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The URL of a store as text: which kind of store it names, and what people write instead. What
 * stands behind the scheme is lib/store's to understand, but for secrets, which are found
 * here so that no message repeats them.
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

/* 0 for what is none of them. */
enum upload_scheme upload_url_scheme(const char *url);

/* "s3://" */
const char *upload_scheme_name(enum upload_scheme scheme);

/*
 * True if the URL of a store, or an endpoint, has a place for a secret that is not empty: a user
 * before the host, or a query. *ret_why says, in static text, what to do instead. Such a URL must
 * not be shown.
 */
bool upload_url_has_secret(const char *url, const char **ret_why);

/*
 * What is wrong with the URL of a store, which has no secret, and what to write instead. 0,
 * -EINVAL with a text, -ENOMEM.
 */
int upload_url_check(const char *url, char why[static UPLOAD_WHY_MAX]);

/* The same for http(s)://host[:port][/path] of a store. */
int upload_endpoint_check(const char *endpoint, char why[static UPLOAD_WHY_MAX]);

/* 1 for http:// to another machine: whoever is on the way can read what is sent. 0 or -ENOMEM. */
int upload_url_is_open(const char *url);
