/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signs requests by AWS Signature Version 4 as S3 verifies it: with the payload's hash, and the
 * path encoded once and not normalised. Pure; logs nothing. Source: AWS General Reference,
 * "Signature Version 4 signing process"; Amazon S3 API Reference, "Authenticating Requests: Using
 * the Authorization Header".
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"

#define SIGV4_DATE_SIZE 17 /* 20130524T000000Z and its zero */

/* The hash of an empty payload. */
#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_pair {
    const char *name, *value;
};

struct sigv4_credentials {
    const char *access_key, *secret_key;
    const char *session_token; /* NULL: none */
};

struct sigv4_request {
    const char *method;
    /* The value of the Host header, with the port unless it is the scheme's default. */
    const char *host;
    const char *path;               /* not encoded; starts with '/' */
    const struct sigv4_pair *query; /* not encoded, in any order */
    size_t n_query;
    /* Headers to sign, in any order, none twice. Added to them are host, x-amz-date,
     * x-amz-content-sha256 and x-amz-security-token. */
    const struct sigv4_pair *headers;
    size_t n_headers;
    const char *payload_sha256; /* lower-case hex */
    const char *region, *service;
    usec time; /* real time, by the store's clock */
};

/* Headers to send besides the request's own. */
struct sigv4_signature {
    char date[SIGV4_DATE_SIZE]; /* x-amz-date */
    struct buf authorization;   /* Authorization: not a secret key, but private */
};

/*
 * Signs. 0, -ENOMEM, -E2BIG when the request is over 64 KiB, or -EINVAL: a path without '/', a
 * header twice or one of those that are added. *ret is to be released with sigv4_signature_done.
 */
int sigv4_sign(const struct sigv4_request *q, const struct sigv4_credentials *c,
               struct sigv4_signature *ret);
void sigv4_signature_done(struct sigv4_signature *s);

/*
 * Appends path or query to a URL in the form that was signed. 0, -ENOMEM or -E2BIG.
 */
int sigv4_add_path(struct buf *url, const char *path);
int sigv4_add_query(struct buf *url, const struct sigv4_pair *query, size_t n);
