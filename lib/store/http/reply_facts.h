/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is seen of a store's answer, and the classes that it may be of. */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "lib/net/http.h"

enum reply_class {
    REPLY_OK,         /* confirmed by the store */
    REPLY_RETRY,      /* trouble that passes: the same again after a wait */
    REPLY_REFRESH,    /* get new credentials, sign again; if these are refused too, park */
    REPLY_SKEW,       /* our clock is off: add `skew` to the offset, sign again */
    REPLY_REGION,     /* the bucket is in the region that the store named: sign for it */
    REPLY_PARK,       /* a person must act; nothing is lost meanwhile */
    REPLY_REHASH,     /* other bytes arrived than announced: hash the file; again if it is whole */
    REPLY_BARE,       /* the header for the hash may be what it does not take: again without it */
    REPLY_QUARANTINE, /* the store will never take this one object */
    REPLY_EXISTS,     /* the key is taken: done if it is the same object */
    REPLY_MISSING,    /* a GET of what is not there */
    REPLY_CLASS_COUNT,
};

/* Strings may be NULL, which is the same as "". */
struct reply_facts {
    enum http_error error;
    long status;             /* 0: none came */
    const char *code;        /* the store's error code, of the XML body or a header */
    const char *message;     /* what the store says beside it */
    bool put;                /* a PUT, as opposed to GET, HEAD or a listing */
    bool conditional;        /* with If-None-Match: * */
    bool summed;             /* with x-amz-checksum-sha256 */
    bool sent;               /* all of the request's body had gone out */
    const char *region;      /* the region that the request was signed for */
    const char *region_told; /* the one that the response named */
    const char *date;        /* the response's Date header */
    const char *server_time; /* <ServerTime>, for want of a Date */
    const char *text;        /* how the transfer ended, for people */
    bool s3;                 /* of a bucket of S3: its permissions and headers have names */
    const char *
        access_hint; /* what to do where another store refuses access; NULL: there is no more to say */
    usec now;        /* real time with the known offset: the time of the signature */
};

struct reply {
    enum reply_class class;
    bool trouble;     /* the store is in trouble: a failure for its breaker */
    int64_t skew;     /* usec to add to our clock's offset; 0 unless REPLY_SKEW */
    const char *hint; /* what a person can do about it, or what it means; "" when nothing */
};
