/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What Alertmanager's webhook (version 4 of its format) says: which alerts fire, and whose.
 * https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Keys that are not known
 * are passed over: the format grows. Texts come from the labels of anybody's alerts, so of the name
 * only plain characters are kept. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/api/apirequest.h"

#define ALERTS_MAX 100 /* of one request that are looked at */
#define ALERTS_REASON_SIZE 100

struct alert {
    /* Of its labels; NULL: it has no such label. Owned by the alerts. */
    const char *service, *job, *instance;
    char reason[ALERTS_REASON_SIZE]; /* "alert:" and its name, of [A-Za-z0-9_.:-] */
};

struct alerts {
    struct alert *items; /* that fire */
    size_t n;
    size_t left_out; /* that fire, too, but are over ALERTS_MAX */
    void *document;  /* what the texts are part of */
};

/* `cut`: the end is missing, and what alerts there are before it count. 0; -EINVAL and why; or
 * -ENOMEM. */
int alerts_parse(const char *body, size_t n, bool cut, struct alerts *ret,
                 char why[static APIREQUEST_WHY_SIZE]);
void alerts_done(struct alerts *a);
