/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Parses the bodies of requests that change something: JSON objects. Unknown keys are refused,
 * because with a misspelt "secconds" the capture would not be the one that was meant. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "daemon/artifact/artifact.h"

#define APIREQUEST_TEXT_MAX 100 /* bytes of a reason, which is printable ASCII */
#define APIREQUEST_WINDOW_MIN USEC_PER_MSEC
#define APIREQUEST_WINDOW_MAX (30 * USEC_PER_SEC)

#define APIREQUEST_WHY_SIZE 256 /* bytes of an error text for people; printable ASCII */

enum capture_scope {
    CAPTURE_TARGET,  /* one target, by its shown URL or its address */
    CAPTURE_SERVICE, /* all of a service */
    CAPTURE_JOB,
    CAPTURE_ALL,
};

struct capture_request {
    enum capture_scope scope;
    char *name;                      /* of the target, service or job; NULL for CAPTURE_ALL */
    const struct artifact *artifact; /* NULL: the target's first */
    bool incident;                   /* several artifacts under one id */
    unsigned artifacts;              /* of it: a bit for each kind; 0: what the job says */
    bool samples;                    /* with CPU samples in the trace */
    usec window;                     /* 0: the job's */
    char *reason;                    /* or NULL */
    bool wait;                       /* answer only when the captures have ended */
};

/*
 * {"target": … | "service": … | "job": … | "all": true,
 *  "artifact": "mutex" | "incident": true | "incident": true, "artifacts": ["trace", …],
 *  "cpu_samples": true, "seconds": 2, "reason": "…", "wait": true}
 * 0; -EINVAL, and why; or -ENOMEM.
 */
int capture_request_parse(const char *body, size_t n, struct capture_request *ret,
                          char why[static APIREQUEST_WHY_SIZE]);
void capture_request_done(struct capture_request *r);

/* Parses {"reason": "…"}, or no body. The caller frees *ret; NULL: no reason. Errors as above. */
int suspend_request_parse(const char *body, size_t n, char **ret,
                          char why[static APIREQUEST_WHY_SIZE]);

/* Accepts no body, or {}. Errors as above. */
int empty_request_parse(const char *body, size_t n, char why[static APIREQUEST_WHY_SIZE]);

/* Whether the text may be a reason: 1 to APIREQUEST_TEXT_MAX printable ASCII characters. */
bool apirequest_is_reason(const char *text);
