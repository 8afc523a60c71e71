/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/http/backoff.h"

#include <errno.h>

#include "lib/net/timestamp.h"

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

/* A number of any length; more than the longest wait is the longest wait. */
static int parse_seconds(const char *text, usec *ret)
{
    usec seconds = 0;

    if (*text == '\0')
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        seconds = seconds * 10 + (usec)(*text - '0');
        if (seconds > BACKOFF_RETRY_AFTER_MAX / USEC_PER_SEC)
            seconds = BACKOFF_RETRY_AFTER_MAX / USEC_PER_SEC;
    }
    *ret = seconds * USEC_PER_SEC;
    return 0;
}

int backoff_retry_after(const char *text, usec now, usec *ret_wait)
{
    usec at;

    if (parse_seconds(text, ret_wait) == 0)
        return 0;
    if (timestamp_parse_http(text, now, &at) < 0)
        return -EINVAL;
    at = at > now ? at - now : 0;
    *ret_wait = at < BACKOFF_RETRY_AFTER_MAX ? at : BACKOFF_RETRY_AFTER_MAX;
    return 0;
}
