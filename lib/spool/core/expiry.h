/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one timer that wakes an idle spool: when the oldest trace comes of age, or when what could not
 * be deleted is tried again.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/facts.h"

/* Age is counted in hours and days, so a minute more lets the machine sleep. A retry has been
 * promised for its second, in the log. */
#define EXPIRY_ACCURACY USEC_PER_MIN
#define EXPIRY_RETRY_ACCURACY (100 * USEC_PER_MSEC)

enum expiry_retry {
    EXPIRY_TRACES,   /* that could not be deleted */
    EXPIRY_INCOMING, /* files that could not be unlinked */
    EXPIRY_RETRIES,
};

struct expiry {
    const struct core *core;
    const struct facts *facts;
    sd_event_source *timer;
    usec retry[EXPIRY_RETRIES]; /* boot time; USEC_NEVER: nothing rests */
};

/* `advance` is called on the event loop. 0 or a negative errno; expiry_stop in any case. */
int expiry_start(struct expiry *e, const struct core *core, const struct facts *facts,
                 sd_event_time_handler_t advance, void *userdata);
void expiry_stop(struct expiry *e);

/* When what rests is tried again; counts from the next expiry_arm on. */
void expiry_set_retry(struct expiry *e, enum expiry_retry which, usec time);

/* Looks when the timer is due. */
void expiry_arm(struct expiry *e);

/* A trace of this time joined the archive. */
void expiry_joined(struct expiry *e, usec time);
