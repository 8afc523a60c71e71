/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/refresh.h"

/* After this time without a refusal, the count starts again. */
#define CALM_AFTER (10 * USEC_PER_MIN)

enum credplan_age refresh_age(const struct refresh *r, usec real)
{
    return r->have ? credplan_age(r->since, r->expiry, real) : CREDPLAN_EXPIRED;
}

static void back_off(struct refresh *r, unsigned times, enum credplan_age age,
                     const struct refresh_now *now)
{
    r->next_at = now->boot + credplan_retry_after(times, age, now->random);
}

void refresh_failed(struct refresh *r, const struct refresh_now *now)
{
    back_off(r, ++r->failures, refresh_age(r, now->real), now);
}

/*
 * Credentials that expire soon are fetched again, but with a pause: the service may not have
 * renewed them yet, and with a wrong clock everything looks expired.
 */
void refresh_same(struct refresh *r, usec expiry, bool by_refusal, const struct refresh_now *now)
{
    enum credplan_age age;

    r->expiry = expiry;
    age = refresh_age(r, now->real);
    if (by_refusal || age != CREDPLAN_FRESH)
        back_off(r, ++r->failures, age, now);
    else
        r->failures = 0;
}

/* A store that refuses all credentials (as with a wrong clock) must not cause a fetch for each
 * request. */
void refresh_renewed(struct refresh *r, usec expiry, bool by_refusal, const struct refresh_now *now)
{
    bool calm = !r->have || now->boot - r->taken_at >= CALM_AFTER;

    r->have = true;
    r->since = now->real;
    r->taken_at = now->boot;
    r->expiry = expiry;
    if (!by_refusal || calm)
        r->refusals = 0;
    r->refusals += by_refusal;
    r->failures = refresh_age(r, now->real) == CREDPLAN_FRESH ? 0 : r->failures + 1;
    r->next_at = 0;
    if (r->failures + r->refusals > 0)
        back_off(r, r->failures + r->refusals, CREDPLAN_FRESH, now);
}

void refresh_next(const struct refresh *r, const struct refresh_now *now, usec *ret_real,
                  usec *ret_boot)
{
    *ret_real = *ret_boot = USEC_NEVER;
    if (!r->have || r->expiry == USEC_NEVER)
        return;
    if (refresh_age(r, now->real) == CREDPLAN_FRESH)
        *ret_real = credplan_refresh_at(r->since, r->expiry, now->random);
    else
        *ret_boot = r->next_at;
}
