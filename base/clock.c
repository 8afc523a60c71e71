/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static usec clock_read(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) < 0)
        return 0; /* cannot fail for these clocks */
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

/* Exactly n digits and then `end`, or anything if that is zero; moves *p behind them. Or -1. */
static int read_digits(const char **p, int n, char end)
{
    int value = 0;

    for (; n > 0; n--, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        value = value * 10 + (**p - '0');
    }
    if (end && *(*p)++ != end)
        return -1;
    return value;
}

/* ".589" as microseconds; nothing there is 0. */
static int read_fraction(const char **p, usec *ret)
{
    usec value = 0, weight = USEC_PER_SEC / 10;

    if (**p == '.') {
        (*p)++;
        if (**p < '0' || **p > '9')
            return -EINVAL;
        for (; **p >= '0' && **p <= '9'; (*p)++, weight /= 10)
            value += (usec)(**p - '0') * weight;
    }
    *ret = value;
    return 0;
}

/* "Z" or "+hh:mm" to the end of the text, in seconds. */
static int read_offset(const char *p, int *ret)
{
    int sign = *p == '-' ? -1 : 1, hours, minutes;

    if ((p[0] == 'Z' || p[0] == 'z') && p[1] == '\0') {
        *ret = 0;
        return 0;
    }
    if (*p != '+' && *p != '-')
        return -EINVAL;
    p++;
    hours = read_digits(&p, 2, ':');
    minutes = hours < 0 ? -1 : read_digits(&p, 2, '\0');
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || *p != '\0')
        return -EINVAL;
    *ret = sign * (hours * 3600 + minutes * 60);
    return 0;
}

/* The fields of the date up to the seconds. A field that is -1 ends the reading. */
static int read_date(const char **p, struct tm *ret)
{
    static const struct {
        int digits;
        char end;
    } parts[] = {{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, '\0'}};
    int v[6];

    for (size_t i = 0; i < 6; i++) {
        v[i] = read_digits(p, parts[i].digits, parts[i].end);
        if (v[i] < 0)
            return -EINVAL;
    }
    if (v[0] < 1970 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[3] > 23 || v[4] > 59 || v[5] > 60)
        return -EINVAL;
    *ret = (struct tm){.tm_year = v[0] - 1900,
                       .tm_mon = v[1] - 1,
                       .tm_mday = v[2],
                       .tm_hour = v[3],
                       .tm_min = v[4],
                       .tm_sec = v[5] > 59 ? 59 : v[5]};
    return 0;
}

int clock_parse_rfc3339(const char *text, usec *ret_real)
{
    const char *p = text;
    struct tm tm, day;
    usec fraction;
    time_t seconds;
    int offset;

    if (read_date(&p, &tm) < 0 || read_fraction(&p, &fraction) < 0 || read_offset(p, &offset) < 0)
        return -EINVAL;
    day = tm;
    seconds = timegm(&day);
    if (day.tm_mday != tm.tm_mday) /* such as the 31st of a shorter month */
        return -EINVAL;
    seconds -= offset;
    if (seconds < 0)
        return -EINVAL;
    *ret_real = (usec)seconds * USEC_PER_SEC + fraction;
    return 0;
}
