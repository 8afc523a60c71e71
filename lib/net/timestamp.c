/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CENTURY_AHEAD 50 /* years; RFC 9110, section 5.6.7 */

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

struct reading {
    const char *at;
    struct tm tm;
    bool short_year;
};

/* Exactly `width` digits; if `padded`, the first may be a blank. */
static bool read_digits(struct reading *r, unsigned width, bool padded, int *ret)
{
    int value = 0;

    for (unsigned i = 0; i < width; i++) {
        char c = r->at[i];

        if (padded && i == 0 && c == ' ')
            continue;
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    r->at += width;
    *ret = value;
    return true;
}

static bool read_month(struct reading *r)
{
    for (int m = 0; m < 12; m++) {
        if (strncasecmp(r->at, months[m], 3) == 0) {
            r->at += 3;
            r->tm.tm_mon = m;
            return true;
        }
    }
    return false;
}

/* The weekday in full or its first three letters. It need not match the date. */
static bool read_weekday(struct reading *r)
{
    for (size_t i = 0; i < 7; i++) {
        size_t n = strlen(weekdays[i]);

        if (strncasecmp(r->at, weekdays[i], n) == 0) {
            r->at += n;
            return true;
        }
        if (strncasecmp(r->at, weekdays[i], 3) == 0) {
            r->at += 3;
            return true;
        }
    }
    return false;
}

static bool read_year(struct reading *r, unsigned width)
{
    int year;

    if (!read_digits(r, width, false, &year))
        return false;
    r->short_year = width == 2;
    r->tm.tm_year = r->short_year ? year : year - 1900;
    return true;
}

static bool read_item(struct reading *r, char item)
{
    switch (item) {
    case 'a': return read_weekday(r);
    case 'b': return read_month(r);
    case 'd': return read_digits(r, 2, false, &r->tm.tm_mday);
    case 'e': return read_digits(r, 2, true, &r->tm.tm_mday);
    case 'm':
        return read_digits(r, 2, false, &r->tm.tm_mon) && --r->tm.tm_mon >= 0 && r->tm.tm_mon < 12;
    case 'y': return read_year(r, 2);
    case 'Y': return read_year(r, 4);
    case 'H': return read_digits(r, 2, false, &r->tm.tm_hour);
    case 'M': return read_digits(r, 2, false, &r->tm.tm_min);
    case 'S': return read_digits(r, 2, false, &r->tm.tm_sec);
    default: return false;
    }
}

static bool read_form(struct reading *r, const char *form)
{
    for (; *form; form++) {
        if (*form == '%') {
            if (!read_item(r, *++form))
                return false;
        } else if (*r->at++ != *form) {
            return false;
        }
    }
    return *r->at == '\0';
}

static int year_of(usec now)
{
    time_t seconds = (time_t)(now / USEC_PER_SEC);
    struct tm tm;

    return gmtime_r(&seconds, &tm) ? tm.tm_year : 0;
}

/* Two digits mean the latest such year that is at most CENTURY_AHEAD years away. */
static int full_year(int digits, usec now)
{
    int latest = year_of(now) + CENTURY_AHEAD;
    int year = latest - latest % 100 + digits; /* tm_year counts from 1900: the same hundreds */

    return year > latest ? year - 100 : year;
}

static int finish(struct reading *r, usec now, usec *ret)
{
    struct tm *tm = &r->tm;
    int day = tm->tm_mday;
    time_t seconds;
    bool leap;

    if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
        return -EINVAL;
    if (r->short_year)
        tm->tm_year = full_year(tm->tm_year, now);
    /* a leap second counts as the next second; a day beyond the month's end is found below */
    leap = tm->tm_sec == 60;
    tm->tm_sec -= leap;
    seconds = timegm(tm);
    if (seconds < 0 || day < 1 || tm->tm_mday != day)
        return -EINVAL;
    *ret = ((usec)seconds + leap) * USEC_PER_SEC;
    return 0;
}

int timestamp_parse_http(const char *text, usec now, usec *ret)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
        "%a, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %e %H:%M:%S %Y",      /* asctime */
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct reading r = {.at = text};

        if (read_form(&r, forms[i]))
            return finish(&r, now, ret);
    }
    return -EINVAL;
}
