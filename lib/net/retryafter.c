/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/retryafter.h"

#include <errno.h>

#include "lib/net/timestamp.h"

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
        if (seconds > RETRYAFTER_MAX / USEC_PER_SEC)
            seconds = RETRYAFTER_MAX / USEC_PER_SEC;
    }
    *ret = seconds * USEC_PER_SEC;
    return 0;
}

int retryafter_parse(const char *text, usec now, usec *ret_wait)
{
    usec at;

    if (parse_seconds(text, ret_wait) == 0)
        return 0;
    if (timestamp_parse_http(text, now, &at) < 0)
        return -EINVAL;
    at = at > now ? at - now : 0;
    *ret_wait = at < RETRYAFTER_MAX ? at : RETRYAFTER_MAX;
    return 0;
}
