/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Parses a notification of Alertmanager's webhook (version 4 of its format): which alerts fire, and
 * for what. https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Unknown keys
 * are ignored, because the format grows. Labels are untrusted text, so only plain characters of an
 * alert's name are kept. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/api/apirequest.h"

#define ALERTS_MAX 100 /* firing alerts of one notification that are handled */
#define ALERTS_REASON_SIZE 100

struct alert {
    /* Values of its labels; NULL: it has no such label. Owned by struct alerts. */
    const char *service, *job, *instance;
    char reason[ALERTS_REASON_SIZE]; /* "alert:" and its name, in [A-Za-z0-9_.:-] */
};

struct alerts {
    struct alert *items; /* the firing ones */
    size_t n;
    size_t left_out; /* firing ones beyond ALERTS_MAX */
    void *document;  /* the JSON that holds the texts */
};

/* `cut`: the end of the body is missing; the complete alerts before it count. 0; -EINVAL and the
 * reason in `why`; or -ENOMEM. */
int alerts_parse(const char *body, size_t n, bool cut, struct alerts *ret,
                 char why[static APIREQUEST_WHY_SIZE]);
void alerts_done(struct alerts *a);
