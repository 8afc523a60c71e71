/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Facts about a store's answer, and the classes that follow from them. */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "lib/net/http.h"

enum reply_class {
    REPLY_OK,         /* confirmed by the store */
    REPLY_RETRY,      /* a temporary error: try the same again later */
    REPLY_REFRESH,    /* get new credentials and sign again; if those are refused, too, park */
    REPLY_SKEW,       /* our clock is off: add `skew` to the offset, sign again */
    REPLY_REGION,     /* the store named the bucket's region: sign for that one */
    REPLY_PARK,       /* a person must act; nothing is lost meanwhile */
    REPLY_REHASH,     /* other bytes arrived than announced: hash the file; send again if whole */
    REPLY_BARE,       /* the store may not accept the header for the hash: send without it */
    REPLY_QUARANTINE, /* the store will never accept this object */
    REPLY_EXISTS,     /* the key exists: done if it is the same object */
    REPLY_MISSING,    /* a GET of an object that does not exist */
    REPLY_CLASS_COUNT,
};

/* Strings may be NULL, which is the same as "". */
struct reply_facts {
    enum http_error error;
    long status;             /* 0: none came */
    const char *code;        /* the store's error code, of the XML body or a header */
    const char *message;     /* the store's message */
    bool put;                /* a PUT, as opposed to GET, HEAD or a listing */
    bool conditional;        /* with If-None-Match: * */
    bool summed;             /* with x-amz-checksum-sha256 */
    bool sent;               /* all of the request's body was sent */
    const char *region;      /* the region that the request was signed for */
    const char *region_told; /* the region that the response named */
    const char *date;        /* the response's Date header */
    const char *server_time; /* <ServerTime>, if there was no Date */
    const char *text;        /* how the transfer ended, for people */
    bool s3;                 /* of a bucket of S3: its permissions and headers have names */
    const char *access_hint; /* advice if another kind of store refuses access; NULL: none */
    usec now;                /* time of the signature: real time by the store's clock */
};

struct reply {
    enum reply_class class;
    bool trouble;     /* counts as a failure for the store's breaker */
    int64_t skew;     /* usec to add to the clock's offset; 0 unless REPLY_SKEW */
    const char *hint; /* what a person can do, or what it means; "" for nothing */
};
