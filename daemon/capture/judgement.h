/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a request for an artifact came to: the class, the words for people, and the hint that names the
 * cause where the answer gives it away. Pure: it is told what came, and how long that took.
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
    uint64_t received;           /* decoded bytes that were written */
    uint64_t bytes;              /* of these, what is kept; 0 unless outcome_published() */
    struct artifact_facts facts; /* of what is kept; zeros when nothing is */
    const char *cut_by;          /* not OUTCOME_OK but published: why, one word; static */
    const char *hint;            /* what a person can do; NULL: what the class says; static */
    int error;                   /* of write(2), as a negative errno, or 0 */
    uint32_t peer;               /* pid of a unix socket's listener, or 0 */
    char sha256[65];             /* of the first `bytes` bytes, in hex */
    char text[CAPTURE_TEXT_MAX]; /* what happened, for people; "" when all is well */
};

/* All that is known when a request has ended. Everything is borrowed. */
struct evidence {
    const struct artifact *artifact; /* that was asked for */
    const struct http_result *http;
    const struct redact *secrets;       /* that the request carried; NULL: none */
    const struct artifact_facts *facts; /* of a 200's body */
    const void *head;                   /* how the body begins */
    size_t head_len;
    uint64_t written;   /* bytes of it that made sense */
    usec window;        /* that was asked for */
    const char *cut_by; /* why this side ended the body, or NULL; static */
    int error;          /* of write(2), as a negative errno, or 0 */
    bool stopped;       /* by whoever asked for it */
};

/* There is no body of a 200: another status, or none. Sets outcome and hint of *r, adds the text. */
void judgement_refused(const struct evidence *e, struct capture_result *r, struct buf *text);

/* The body is something else, or nothing of it can be kept. */
void judgement_nothing(const struct evidence *e, struct capture_result *r, struct buf *text);

/* All of it can be kept, or a part. */
void judgement_kept(const struct evidence *e, struct capture_result *r, struct buf *text);
