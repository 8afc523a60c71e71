/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a capture ended: the classes, in one table, with what follows from each. docs/ERRORS.md says
 * the same to people.
 */

#include <stdbool.h>

enum outcome {
    OUTCOME_OK,            /* a whole trace was published */
    OUTCOME_TRUNCATED,     /* published, cut at its last whole generation */
    OUTCOME_SHORT,         /* published, whole, but of less time than was asked for */
    OUTCOME_EMPTY,         /* published, whole, and nothing in it */
    OUTCOME_BUSY,          /* somebody else was tracing */
    OUTCOME_SKIPPED,       /* one was in flight when the next was due */
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
    OUTCOME_MISSING,       /* 404: the service does not have what it need not have */
    OUTCOME_NOT_A_TRACE,   /* 200 with something else, or with nothing */
    OUTCOME_NOT_A_PROFILE, /* the same, where a profile was asked for */
    OUTCOME_INCOMPLETE,    /* of what was asked for, nothing whole */
    OUTCOME_CREDENTIALS,   /* a secret or certificate file cannot be used */
    OUTCOME_NO_SPACE,      /* no room in the spool or on its file system */
    OUTCOME_STORAGE,       /* the disk failed */
    OUTCOME_RESOURCES,     /* no descriptors or memory left here */
    OUTCOME_CANCELLED,     /* the daemon stopped before it was whole */
    OUTCOME_COUNT,
};

enum outcome_retry {
    OUTCOME_RETRY_NEXT, /* at the next due time */
    OUTCOME_RETRY_BUSY, /* within the interval, after one to five windows */
    OUTCOME_RETRY_DOWN, /* within the interval, with back-off */
};

/* The word for logs, metrics and records: "write_timeout". */
const char *outcome_name(enum outcome o);

/* What a failed system call of ours (a negative errno, writing or opening a file) comes to. */
enum outcome outcome_of_errno(int r);

/* Something is in the archive. */
bool outcome_published(enum outcome o);

/* The target is not well, as opposed to nothing having been tried or said; one that is
 * outcome_patient() only when it lasts. */
bool outcome_failed(enum outcome o);

/* There is nothing to capture there, and nothing is wrong with that. */
bool outcome_absent(enum outcome o);

/* The outcome says something about the target, so that its state follows it. */
bool outcome_tells(enum outcome o);

enum outcome_retry outcome_retry(enum outcome o);

/* It says something about the target only when nothing else came for a whole interval. */
bool outcome_patient(enum outcome o);

/* What a person can do about it; "" where there is nothing to add. */
const char *outcome_hint(enum outcome o);
