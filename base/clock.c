/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static usec clock_read(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) < 0)
        return 0; /* cannot fail for the clocks that are asked for */
    return (usec)ts.tv_sec * USEC_PER_SEC + (usec)ts.tv_nsec / 1000;
}

usec clock_boot(void)
{
    return clock_read(CLOCK_BOOTTIME);
}

usec clock_real(void)
{
    return clock_read(CLOCK_REALTIME);
}

usec clock_monotonic(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

const char *clock_rfc3339(usec real, char out[static CLOCK_RFC3339_SIZE])
{
    time_t seconds = (time_t)(real / USEC_PER_SEC);
    struct tm tm;
    size_t n;

    if (!gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900) {
        (void)snprintf(out, CLOCK_RFC3339_SIZE, "invalid");
        return out;
    }
    n = strftime(out, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out + n, CLOCK_RFC3339_SIZE - n, ".%03uZ",
                   (unsigned)(real % USEC_PER_SEC / USEC_PER_MSEC));
    return out;
}
