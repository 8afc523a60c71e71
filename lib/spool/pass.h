/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Carries out a retention plan on the disk threads, one pass at a time: what it frees is known only
 * at its end. What cannot be deleted stays in the index and is left alone for a while that grows, so
 * that a read-only or broken disk is not asked again and again. Only where nothing else makes room
 * for a capture it is asked soon.
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
    uint64_t failed_items; /* that rest */
    unsigned rounds;       /* of tries in a row, each after a rest, in which some failed */
    usec failed_last;      /* boot time: when a deletion failed */
    usec failed_retry;     /* boot time at which failed items are tried again, needed or not */
    usec space_hold_until; /* boot time: no deletion for free space before, it did not rise */
    bool failing;          /* in the log, not yet taken back */

    uint64_t deleted[RETENTION_CAUSES]; /* since the start */
    uint64_t dropped_unsent;            /* of those, the ones that had not been uploaded */
};

/* All borrowed. pass_done when nothing is on the disk threads any more. */
void pass_init(struct pass *p, struct core *core, struct items *items, const struct facts *facts,
               struct expiry *expiry, struct queue *queue);
void pass_done(struct pass *p);

/* Deletions are under way; at their end core_wake is called. */
bool pass_running(const struct pass *p);

/* Nothing can be deleted just now. */
bool pass_held(const struct pass *p);

/* Nothing is to be deleted for free space just now. */
bool pass_space_held(const struct pass *p);

/* Begins to delete what the plan says. `no_space`: but not for free space. 1; 0 when that is
 * nothing; or -ENOMEM. */
int pass_start(struct pass *p, const struct retention_plan *plan,
               const struct retention_facts *facts, bool no_space);

/* True when what could not be deleted may be tried again: sooner if room is needed. */
bool pass_retry_failed(struct pass *p, bool needed);
