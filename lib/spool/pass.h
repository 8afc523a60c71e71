/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Carries out a retention plan on the disk threads. Only one pass runs at a time, as only its end
 * tells how much space it freed. A trace that cannot be deleted stays in the index and rests before
 * the next try; the rest grows with each failure, so that a read-only or broken disk is not asked
 * again and again. If a capture needs room and nothing else can make it, the next try comes after
 * the shortest rest.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/expiry.h"
#include "lib/spool/core/facts.h"
#include "lib/spool/core/items.h"
#include "lib/spool/queue.h"
#include "lib/spool/core/retention.h"

struct pass_run; /* deletions under way */

struct pass {
    struct core *core;
    struct items *items;
    const struct facts *facts;
    struct expiry *expiry;
    struct queue *queue;

    struct pass_run *run;  /* NULL: none */
    unsigned barren;       /* passes in a row in which every deletion failed */
    uint64_t failed_items; /* items whose deletion failed and rests */
    unsigned rounds;       /* rounds of tries in a row in which a deletion failed */
    usec failed_last;      /* boot time of the last pass in which a deletion failed */
    /* Boot time at which failed items are tried again even if no room is needed. */
    usec failed_retry;
    /* Boot time before which nothing is deleted for free space, as that did not rise. */
    usec space_hold_until;
    bool failing; /* the log says that deletions fail, and not yet that they work again */

    uint64_t deleted[RETENTION_CAUSES]; /* since the daemon's start */
    uint64_t dropped_unsent;            /* of those, traces that had not been uploaded */
};

/* All borrowed. Call pass_done when nothing is on the disk threads any more. */
void pass_init(struct pass *p, struct core *core, struct items *items, const struct facts *facts,
               struct expiry *expiry, struct queue *queue);
void pass_done(struct pass *p);

/* True while deletions are under way; at their end core_wake is called. */
bool pass_running(const struct pass *p);

/* True while deletions rest, as all have failed. */
bool pass_held(const struct pass *p);

/* True while nothing may be deleted for free space. */
bool pass_space_held(const struct pass *p);

/* Begins to delete what the plan says; with `no_space`, leaves out the deletions for free space. 1;
 * 0 when there is nothing to delete; or -ENOMEM. */
int pass_start(struct pass *p, const struct retention_plan *plan,
               const struct retention_facts *facts, bool no_space);

/* Lets traces that could not be deleted be tried again if their rest is over. `needed`: room is
 * needed, so the rest is CORE_REST_FIRST at most. True if they may be tried now. */
bool pass_retry_failed(struct pass *p, bool needed);
