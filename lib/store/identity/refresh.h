/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When credentials are fetched again: ahead of their expiry, after a failure, and how soon after a
 * refusal by the store. Pure arithmetic over what happened; credplan.h has the margins.
 */

#include <stdbool.h>

#include "base/clock.h"
#include "lib/store/identity/credplan.h"

/* The moment, and a random number in [0, 1). */
struct refresh_now {
    usec real, boot;
    double random;
};

/* Zero: nothing was fetched yet. */
struct refresh {
    bool have;         /* a set is in use */
    usec since;        /* … from this real time on, */
    usec taken_at;     /* … which is this boot time, */
    usec expiry;       /* … until this real time; USEC_NEVER */
    unsigned failures; /* in a row */
    unsigned refusals; /* of set after set by the store */
    usec next_at;      /* boot time: no fetch before */
};

/* CREDPLAN_EXPIRED also without a set. */
enum credplan_age refresh_age(const struct refresh *r, usec real);

/*
 * What came of a fetch: nothing; what is in use already, at most with another expiry; another set.
 * `by_refusal`: it was made because the store refused what was in use.
 */
void refresh_failed(struct refresh *r, const struct refresh_now *now);
void refresh_same(struct refresh *r, usec expiry, bool by_refusal, const struct refresh_now *now);
void refresh_renewed(struct refresh *r, usec expiry, bool by_refusal,
                     const struct refresh_now *now);

/*
 * When the next fetch is due though nobody asks for one: at a real time, or at a boot time; the
 * other is USEC_NEVER, or both are.
 */
void refresh_next(const struct refresh *r, const struct refresh_now *now, usec *ret_real,
                  usec *ret_boot);
