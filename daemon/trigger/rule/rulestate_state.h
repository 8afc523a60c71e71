/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The inside of a rulestate. */

#include "daemon/trigger/rule/history.h"
#include "daemon/trigger/rule/rulestate.h"

struct rulestate {
    const struct trigger_config *rule;
    usec started;
    usec seen, judged, fired_at; /* 0: never */
    usec read_at;                /* of the read before, whose counts are kept; 0: there is none */
    usec stepped;                /* when runs were last counted; 0: never */
    double sums[2];              /* of the counters, at read_at */
    enum scrape_type types[2];
    struct buckets *buckets; /* of the histogram, at read_at; or NULL */
    struct history *history; /* for growth and times_baseline; or NULL */
    double value, threshold, baseline, edge, above, count;
    const char *why; /* nothing is judged; "": it is */
    uint64_t fires;
    const char *refused; /* when it fired last; NULL: it was not */
    usec refused_until;  /* 0: not known */
    unsigned over, calm; /* times in a row */
    bool fired;          /* and not yet clearly below */
    bool blind;
    bool was_after; /* of labels: the run began after one of `after` */
    int label;      /* the last; -1: none yet */
};
