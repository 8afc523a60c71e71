/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Internals of remote.h, for three files: remote.c has the store and starts calls, attempt.c makes
 * one request and reports its end, verdict.c decides what to do then.
 */

#include "base/filehash.h"
#include "lib/store/dialect/dialect.h"
#include "lib/store/dialect/listing.h"
#include "lib/store/http/answer.h"
#include "lib/store/http/reply.h"
#include "lib/store/identity/identity.h"
#include "lib/store/identity/reach.h"
#include "lib/store/interface/store_kind.h"

struct remote {
    struct store store;
    sd_event *event;
    struct http *http;
    struct disk *disk;
    struct dialect *dialect;
    struct identity *identity; /* NULL: the dialect has secrets of its own */
    int64_t skew;              /* usec that the store's clock is ahead of ours */
    bool never_asks;           /* it does not know 100-continue */
    bool never_sums;           /* it does not accept the header for the hash */
    bool warned;               /* warned that a session token goes there without TLS */
    uint64_t max_rate;         /* bytes a second of one call; 0: no limit */
    usec stall_timeout;
    struct reach reach;
};

/* What was tried already. Each can help once; a second time it would not. */
enum {
    REMOTE_REFRESHED = 1 << 0,
    REMOTE_SKEWED = 1 << 1,
    REMOTE_MOVED = 1 << 2,
    REMOTE_REHASHED = 1 << 3,
    REMOTE_BARED = 1 << 4, /* without the header for the hash */
};

/* How one attempt ended. */
struct attempt_end {
    struct reply reply;
    bool unasked; /* 417: it does not accept Expect: 100-continue */
    bool local;   /* memory, descriptors or a handler of ours failed, not the store */
    bool changed; /* the file is shorter than it was */
    char text[STORE_TEXT_MAX];
};

struct remote_call;

/* Called when the attempt has ended; the answer is valid until attempt_clear. May free the call. */
typedef void (*attempt_fn)(struct remote_call *c, const struct attempt_end *end);

struct remote_call {
    struct store_call call;
    struct remote *remote;
    enum dialect_verb verb;
    char *key, *after;          /* owned; `key` is a listing's prefix */
    struct store_object object; /* put; its sha256 is `sha256` */
    char sha256[STORE_SHA256_SIZE];
    store_body_fn body;
    store_object_fn on_object;
    store_done_fn done;
    void *userdata;

    unsigned tried;   /* REMOTE_… */
    bool comparing;   /* a put whose key exists: asks for the existing object */
    unsigned version; /* version of the secrets that signed the last attempt */
    char region[64];  /* … and the region, */
    int64_t skew;     /* and the assumed offset of the store's clock */
    char *refusal;    /* the store's message about the secrets; NULL: none yet */
    char *token;      /* the listing's next page */
    unsigned pages;

    /* it waits for one of these at a time */
    sd_event_source *begin;
    struct identity_wait *wait;
    struct filehash *hash;
    struct http_request *request;

    /* the request under way */
    attempt_fn attempted;
    bool conditional;
    bool sums;    /* with a header for the hash */
    bool asks;    /* with Expect: 100-continue */
    int failure;  /* error of a handler of ours; negative errno */
    usec date_at; /* our clock when the answer's Date came; 0: it had none */
    uint64_t received;
    struct answer answer;
    struct redact secrets; /* the request is made with these, and the answer may repeat them */
    struct listing *listing;
};

/* Real time by a clock that is ahead of ours by `skew`. */
usec remote_now(const struct remote *r, int64_t skew);

/*
 * Sends one request for the call in its present state, signed with the credentials of its identity.
 * 0: fn will be called later; or a negative errno with `why`.
 */
int attempt_start(struct remote_call *c, attempt_fn fn, char why[static STORE_TEXT_MAX]);

/* Releases what the attempt left, or cancels it. */
void attempt_clear(struct remote_call *c);

/* The first step of a call. May free it. */
void remote_call_begin(struct remote_call *c);

/* Cancels the call in any state; its done is not called. */
void remote_call_free(struct remote_call *c);
