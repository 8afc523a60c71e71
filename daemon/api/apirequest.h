/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The bodies of requests that change something: JSON objects that are read strictly, because a
 * misspelt "secconds" that is passed over captures something else than was meant. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "daemon/artifact/artifact.h"

#define APIREQUEST_TEXT_MAX 100 /* bytes of a reason: printable ASCII */
#define APIREQUEST_WINDOW_MIN USEC_PER_MSEC
#define APIREQUEST_WINDOW_MAX (30 * USEC_PER_SEC)

#define APIREQUEST_WHY_SIZE 256 /* what is wrong, for people; printable ASCII */

enum capture_scope {
    CAPTURE_TARGET,  /* one, as a listing of targets shows it */
    CAPTURE_SERVICE, /* all of a service */
    CAPTURE_JOB,
    CAPTURE_ALL,
};

struct capture_request {
    enum capture_scope scope;
    char *name;                      /* of what; NULL for all */
    const struct artifact *artifact; /* NULL: what the job has first */
    usec window;                     /* 0: the job's */
    char *reason;                    /* or NULL */
    bool wait;                       /* answer when it has ended */
};

/*
 * {"target": … | "service": … | "job": … | "all": true,
 *  "artifact": "mutex", "seconds": 2, "reason": "…", "wait": true}
 * 0; -EINVAL, and why; or -ENOMEM.
 */
int capture_request_parse(const char *body, size_t n, struct capture_request *ret,
                          char why[static APIREQUEST_WHY_SIZE]);
void capture_request_done(struct capture_request *r);

/* {"reason": "…"}, or no body. *ret is to be freed; NULL: no reason. Errors as above. */
int suspend_request_parse(const char *body, size_t n, char **ret,
                          char why[static APIREQUEST_WHY_SIZE]);

/* No body, or {}. */
int empty_request_parse(const char *body, size_t n, char why[static APIREQUEST_WHY_SIZE]);
