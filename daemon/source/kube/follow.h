/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How pods are followed: a list, and from its resourceVersion on a watch that is renewed for as long
 * as the server knows that version. Decides which request comes next and after which wait; the
 * requests are made elsewhere. Pure.
 *
 *   LIST   the pods as they are, in pages if the server wants
 *   WATCH  what changes from a version on
 *
 * A list asks first for what the server has in memory (resourceVersion 0, later the last one known),
 * which costs it little. Only if the server refuses that version it asks for the newest state, which
 * is read from etcd in pages; and if a page's continuation has expired, for all in one piece.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define FOLLOW_VERSION_MAX 128
#define FOLLOW_CONTINUE_MAX 4096
#define FOLLOW_PAGE 500

enum follow_step {
    FOLLOW_LIST,
    FOLLOW_WATCH,
};

struct follow {
    enum follow_step step;
    char version[FOLLOW_VERSION_MAX]; /* the last one known, opaque; "": none */
    bool newest;                      /* the server refused the version: ask for the newest state */
    bool whole;                       /* a continuation has expired: ask for all in one piece */
    char *continuation;               /* of the next page; NULL: the first */
    unsigned failures;                /* in a row */
};

/* Which pods; "" and NULL: all. */
struct follow_scope {
    const char *namespace;
    const char *label, *field; /* selectors */
};

/* What a request came to. */
struct follow_end {
    bool complete;    /* the answer came whole; of a watch: the server ended it */
    bool broken;      /* the answer was none that is understood */
    long status;      /* of the answer, or of an ERROR event in a watch; 0: none came */
    bool too_large;   /* of 504: the server is behind the version that was asked for */
    usec retry_after; /* the server's wish; 0: it has none */
    usec lasted;
};

void follow_init(struct follow *f);
void follow_done(struct follow *f);

/* Appends path and query of the next request. `random` spreads how long watches last. 0, -ENOMEM or
 * -E2BIG. */
int follow_request(const struct follow *f, const struct follow_scope *scope, uint64_t random,
                   struct buf *out);

/* How long the watch is asked to last with this `random`. */
usec follow_watch_time(uint64_t random);

/*
 * A page was taken over. `continuation`: "" or NULL for the last one. 0, and the next request is
 * that of the next page or a watch; -ENOMEM; -EBADMSG for a version or continuation that is none.
 */
int follow_listed(struct follow *f, const char *version, const char *continuation);

/* An event of the watch brought the pods to this version. -EBADMSG if it is none. */
int follow_event(struct follow *f, const char *version);

/*
 * The request has ended; of a list: in another way than with a whole answer that follow_listed took.
 * Returns how long to wait until the next, which may be another list.
 */
usec follow_ended(struct follow *f, const struct follow_end *end, uint64_t random);
