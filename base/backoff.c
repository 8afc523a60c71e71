/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

usec backoff_ceiling(const struct backoff *b, unsigned attempt)
{
    if (attempt >= 64 || b->base > b->cap >> attempt)
        return b->cap;
    return b->base << attempt;
}

usec backoff_draw(usec most, uint64_t random)
{
    /* the high half of a 128-bit product: even over [0, most] */
    return (usec)(((__uint128_t)random * ((__uint128_t)most + 1)) >> 64);
}

usec backoff_wait(const struct backoff *b, unsigned attempt, usec least, uint64_t random)
{
    usec drawn = backoff_draw(backoff_ceiling(b, attempt), random);

    return least > USEC_NEVER - drawn ? USEC_NEVER : least + drawn;
}
