/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When credentials are fetched again: before their expiry, after a failure, and after the store
 * refused them. Pure; credplan.h has the margins.
 */

#include <stdbool.h>

#include "base/clock.h"
#include "lib/store/identity/credplan.h"

/* The present time, and a random number in [0, 1). */
struct refresh_now {
    usec real, boot;
    double random;
};

/* Zero: nothing was fetched yet. */
struct refresh {
    bool have;         /* a set is in use */
    usec since;        /* … since this real time */
    usec taken_at;     /* when they were fetched: boot time */
    usec expiry;       /* their expiry: real time; USEC_NEVER: none */
    unsigned failures; /* in a row */
    unsigned refusals; /* refusals by the store in a row */
    usec next_at;      /* boot time: no fetch before */
};

/* CREDPLAN_EXPIRED also if there are none. */
enum credplan_age refresh_age(const struct refresh *r, usec real);

/*
 * The result of a fetch: none; the same credentials, perhaps with another expiry; other
 * credentials. `by_refusal`: it was started because the store refused those in use.
 */
void refresh_failed(struct refresh *r, const struct refresh_now *now);
void refresh_same(struct refresh *r, usec expiry, bool by_refusal, const struct refresh_now *now);
void refresh_renewed(struct refresh *r, usec expiry, bool by_refusal,
                     const struct refresh_now *now);

/*
 * When the next fetch is due by itself: a real time or a boot time. The other is USEC_NEVER; both
 * are if none is due.
 */
void refresh_next(const struct refresh *r, const struct refresh_now *now, usec *ret_real,
                  usec *ret_boot);
