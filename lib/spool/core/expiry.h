/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The only timer that wakes an idle spool: when the oldest trace comes of age, or when a deletion
 * that failed is tried again.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/facts.h"

/* Ages are hours and days, so the timer may fire a minute late and let the machine sleep. A retry
 * needs more accuracy: the log has promised it in seconds. */
#define EXPIRY_ACCURACY USEC_PER_MIN
#define EXPIRY_RETRY_ACCURACY (100 * USEC_PER_MSEC)

enum expiry_retry {
    EXPIRY_TRACES,   /* traces that could not be deleted */
    EXPIRY_INCOMING, /* files of incoming/ that could not be unlinked */
    EXPIRY_RETRIES,
};

struct expiry {
    const struct core *core;
    const struct facts *facts;
    sd_event_source *timer;
    usec retry[EXPIRY_RETRIES]; /* boot time; USEC_NEVER: nothing rests */
};

/* `advance` is called on the event loop. 0 or a negative errno; call expiry_stop in either case. */
int expiry_start(struct expiry *e, const struct core *core, const struct facts *facts,
                 sd_event_time_handler_t advance, void *userdata);
void expiry_stop(struct expiry *e);

/* Sets when failed deletions are tried again; takes effect with the next expiry_arm. */
void expiry_set_retry(struct expiry *e, enum expiry_retry which, usec time);

/* Computes when the timer is due, and sets it. */
void expiry_arm(struct expiry *e);

/* Tells that a trace of this time joined the archive. */
void expiry_joined(struct expiry *e, usec time);
