/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signs requests by AWS Signature Version 4, as S3 and every server of its kind verifies it: the
 * payload's real hash, the path encoded once and not normalised, headers and query in order. It
 * computes and nothing else; keeping secrets out of logs begins here: nothing is logged.
 *
 * Source: AWS General Reference, "Signature Version 4 signing process"; Amazon S3 API Reference,
 * "Authenticating Requests: Using the Authorization Header".
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
    const char *host; /* as the Host header will say it, with a port that is not the scheme's own */
    const char *path; /* as it is meant, not encoded; begins with '/' */
    const struct sigv4_pair *query; /* not encoded, in any order */
    size_t n_query;
    /* Headers to sign besides host, x-amz-date, x-amz-content-sha256 and x-amz-security-token, which
     * are added; in any order, and none of them twice. */
    const struct sigv4_pair *headers;
    size_t n_headers;
    const char *payload_sha256; /* lower-case hex */
    const char *region, *service;
    usec time; /* real time, by the store's clock */
};

/* What is sent beside the request's own headers. */
struct sigv4_signature {
    char date[SIGV4_DATE_SIZE]; /* x-amz-date */
    struct buf authorization;   /* Authorization: not a secret, but nobody else's either */
};

/*
 * Signs. 0, -ENOMEM, -E2BIG when the request is over 64 KiB, or -EINVAL: a path without '/', a
 * header twice or one of those that are added. *ret is to be released with sigv4_signature_done.
 */
int sigv4_sign(const struct sigv4_request *q, const struct sigv4_credentials *c,
               struct sigv4_signature *ret);
void sigv4_signature_done(struct sigv4_signature *s);

/*
 * Appends a path or a query as the URL must have it to be the one that was signed. 0, -ENOMEM or
 * -E2BIG.
 */
int sigv4_add_path(struct buf *url, const char *path);
int sigv4_add_query(struct buf *url, const struct sigv4_pair *query, size_t n);
