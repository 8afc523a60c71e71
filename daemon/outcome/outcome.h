/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The classes of a capture's end, in one table with the consequences of each. docs/ERRORS.md
 * explains them to users.
 */

#include <stdbool.h>

enum outcome {
    OUTCOME_OK,            /* a whole trace was published */
    OUTCOME_TRUNCATED,     /* published, cut at its last whole generation */
    OUTCOME_SHORT,         /* published, whole, but spans less time than was asked for */
    OUTCOME_EMPTY,         /* published, whole, but without content */
    OUTCOME_BUSY,          /* somebody else was tracing */
    OUTCOME_SKIPPED,       /* not begun: one was in flight when the next was due */
    OUTCOME_DNS,           /* the name did not resolve */
    OUTCOME_CONNECT,       /* refused, unreachable, no such socket */
    OUTCOME_TLS,           /* handshake or certificate */
    OUTCOME_TIMEOUT,       /* not done within the timeout, and no whole generation */
    OUTCOME_CLOSED,        /* the connection ended early, and no whole generation */
    OUTCOME_PROTOCOL,      /* not HTTP as a Go service speaks it */
    OUTCOME_REDIRECT,      /* 3xx: never followed */
    OUTCOME_UNAUTHORIZED,  /* 401 or 403 */
    OUTCOME_WRITE_TIMEOUT, /* 400: the window is not shorter than the server's WriteTimeout */
    OUTCOME_HTTP_STATUS,   /* any other status but 200 */
    OUTCOME_MISSING,       /* 404 for an artifact that a service may lack */
    OUTCOME_IN_USE,        /* somebody else takes a CPU profile */
    OUTCOME_NOT_READY,     /* 429 or 503: the service has the artifact, but not now */
    OUTCOME_NOT_A_TRACE,   /* 200, but the body is no trace or is empty */
    OUTCOME_NOT_A_PROFILE, /* 200, but the body is no profile or is empty */
    OUTCOME_INCOMPLETE,    /* the right kind of body, but nothing of it was whole */
    OUTCOME_CREDENTIALS,   /* a secret or certificate file cannot be used */
    OUTCOME_NO_SPACE,      /* no room in the spool or on its file system */
    OUTCOME_STORAGE,       /* the disk failed */
    OUTCOME_RESOURCES,     /* contraced ran out of descriptors or memory */
    OUTCOME_CANCELLED,     /* contraced stopped or the target was removed first */
    OUTCOME_COUNT,
};

enum outcome_retry {
    OUTCOME_RETRY_NEXT, /* at the next due time */
    OUTCOME_RETRY_BUSY, /* within the interval, after one to five windows */
    OUTCOME_RETRY_DOWN, /* within the interval, with back-off */
};

/* The word for logs, metrics and records: "write_timeout". */
const char *outcome_name(enum outcome o);

/* The outcome if contraced itself failed to open or write a file; `r` is a negative errno. */
enum outcome outcome_of_errno(int r);

/* Something was published into the spool. */
bool outcome_published(enum outcome o);

/* The target fails. An outcome that is outcome_patient() means so only when it lasts. */
bool outcome_failed(enum outcome o);

/* The target has no such artifact, now or at all, which is no failure. */
bool outcome_absent(enum outcome o);

/* The outcome says something about the target, so the target's state changes to it. */
bool outcome_tells(enum outcome o);

enum outcome_retry outcome_retry(enum outcome o);

/* The outcome says something about the target only if no other came for a whole interval. */
bool outcome_patient(enum outcome o);

/* What a person can do about it, to be appended to a message; "" if there is nothing to add. */
const char *outcome_hint(enum outcome o);
