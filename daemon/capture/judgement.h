/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Judges the end of a request for an artifact: its class, a text for people, and a hint if the
 * answer shows the cause. Pure: works only on the evidence that it is given.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "daemon/artifact/artifact.h"
#include "daemon/outcome/outcome.h"
#include "lib/net/http.h"
#include "lib/net/redact.h"

#define CAPTURE_TEXT_MAX 512

struct capture_result {
    enum outcome outcome;
    uint64_t received;           /* bytes after decoding that were accepted */
    uint64_t bytes;              /* how many of these are kept; 0 unless outcome_published() */
    struct artifact_facts facts; /* about the bytes that are kept; zeros if none are */
    const char *cut_by;          /* published, but not OUTCOME_OK: why, in one word; static */
    const char *hint;            /* what a person can do; NULL: use the class's hint; static */
    int error;                   /* of write(2), as a negative errno, or 0 */
    char sha256[65];             /* of the first `bytes` bytes, in hex */
    char text[CAPTURE_TEXT_MAX]; /* what happened, for people; "" if all is well */
};

/* All that is known about a request that has ended. Everything is borrowed. */
struct evidence {
    const struct artifact *artifact; /* as requested */
    const struct http_result *http;
    const struct redact *secrets;       /* in the request; NULL: none */
    const struct artifact_facts *facts; /* of a 200's body */
    const void *head;                   /* how the body begins */
    size_t head_len;
    uint64_t written;   /* bytes of the body that were accepted */
    usec window;        /* as requested */
    bool own_path;      /* the configuration gives this artifact a path of its own */
    const char *cut_by; /* why this side ended the body, or NULL; static */
    int error;          /* of write(2), as a negative errno, or 0 */
    bool stopped;       /* by capture_stop */
    bool sent;          /* nobody asked for it: it is no answer */
};

/* For a request without a body of a 200: it got another status, or none. Sets outcome and hint of
 * *r, and appends to the text, as do the next two. */
void judgement_refused(const struct evidence *e, struct capture_result *r, struct buf *text);

/* For a body of another kind, or one of which nothing can be kept. */
void judgement_nothing(const struct evidence *e, struct capture_result *r, struct buf *text);

/* For a body that can be kept, all or a part. */
void judgement_kept(const struct evidence *e, struct capture_result *r, struct buf *text);
