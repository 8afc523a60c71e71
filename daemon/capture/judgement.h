/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a request for a trace came to: the class, the words for people, and the hint that names the
 * cause where the answer gives it away. Pure: it is told what came, and how long that took.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "daemon/outcome/outcome.h"
#include "lib/net/http.h"
#include "lib/net/redact.h"
#include "trace/framing.h"

#define CAPTURE_TEXT_MAX 512

struct capture_result {
    enum outcome outcome;
    uint64_t received; /* decoded bytes that were written */
    uint64_t bytes;    /* of these, the whole trace; 0 unless outcome_published() */
    uint64_t generations;
    unsigned go_minor;           /* 26: the trace's header says `go 1.26` */
    usec span;                   /* what the whole trace spans; 0: not known */
    const char *cut_by;          /* not OUTCOME_OK but published: why, one word; static */
    const char *hint;            /* what a person can do; NULL: what the class says; static */
    int error;                   /* of write(2), as a negative errno, or 0 */
    uint32_t peer;               /* pid of a unix socket's listener, or 0 */
    char sha256[65];             /* of the first `bytes` bytes, in hex */
    char text[CAPTURE_TEXT_MAX]; /* what happened, for people; "" when all is well */
};

/* All that is known when a request has ended. Everything is borrowed. */
struct evidence {
    const struct http_result *http;
    const struct redact *secrets;  /* that the request carried; NULL: none */
    const struct framing *framing; /* of a 200's body: what came, and after the end what is whole */
    const void *head;              /* how the body begins */
    size_t head_len;
    uint64_t written;   /* bytes of a trace */
    usec window;        /* that was asked for */
    const char *cut_by; /* why this side ended the body, or NULL; static */
    int error;          /* of write(2), as a negative errno, or 0 */
    bool stopped;       /* by whoever asked for it */
};

/* There is no body of a 200: another status, or none. Sets outcome and hint of *r, adds the text. */
void judgement_refused(const struct evidence *e, struct capture_result *r, struct buf *text);

/* The body is no trace, or not one whole generation of it; `kept` is framing_finish's negative. */
void judgement_nothing(const struct evidence *e, int kept, struct capture_result *r,
                       struct buf *text);

/* A trace, or some generations of it (`kept`: framing_finish's 1 or 0). */
void judgement_kept(const struct evidence *e, int kept, struct capture_result *r, struct buf *text);
