/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/value/amount.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/parse.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_SEC 1e9

static const struct {
    const char *name;
    double factor;
    enum amount_unit unit;
} units[] = {
    {"", 1, AMOUNT_PLAIN},    {"k", 1e3, AMOUNT_PLAIN}, {"M", 1e6, AMOUNT_PLAIN},
    {"G", 1e9, AMOUNT_PLAIN}, {"ns", 1, AMOUNT_TIME},   {"us", 1e3, AMOUNT_TIME},
    {"µs", 1e3, AMOUNT_TIME}, {"μs", 1e3, AMOUNT_TIME}, {"ms", 1e6, AMOUNT_TIME},
    {"s", 1e9, AMOUNT_TIME},
};

/* How the name of a value ends that is in a unit, and for times how many nanoseconds that is. */
static const struct {
    const char *end;
    double size;
    enum amount_unit unit;
} ends[] = {
    {"_ns", 1, AMOUNT_TIME},
    {"_nanoseconds", 1, AMOUNT_TIME},
    {"_nanoseconds_total", 1, AMOUNT_TIME},
    {"_us", 1e3, AMOUNT_TIME},
    {"_usec", 1e3, AMOUNT_TIME},
    {"_microseconds", 1e3, AMOUNT_TIME},
    {"_microseconds_total", 1e3, AMOUNT_TIME},
    {"_ms", 1e6, AMOUNT_TIME},
    {"_milliseconds", 1e6, AMOUNT_TIME},
    {"_milliseconds_total", 1e6, AMOUNT_TIME},
    {"_seconds", NS_PER_SEC, AMOUNT_TIME},
    {"_seconds_total", NS_PER_SEC, AMOUNT_TIME},
    {"_bytes", 1, AMOUNT_SIZE},
    {"share", 1, AMOUNT_SHARE},
    {"share_over_1ms", 1, AMOUNT_SHARE},
    {"share_over_10ms", 1, AMOUNT_SHARE},
    {"share_over_100ms", 1, AMOUNT_SHARE},
    {"ratio", 1, AMOUNT_SHARE},
};

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* A whole duration or size, as the configuration has them. */
static int parse_other(const char *text, struct amount *ret)
{
    uint64_t bytes;
    usec duration;

    if (parse_duration(text, &duration) == 0)
        *ret = (struct amount){(double)duration * 1e3, AMOUNT_TIME};
    else if (parse_size(text, &bytes) == 0)
        *ret = (struct amount){(double)bytes, AMOUNT_SIZE};
    else
        return -EINVAL;
    return 0;
}

int amount_parse(const char *text, struct amount *ret)
{
    bool negative = text[0] == '-';
    const char *number = text + negative;
    size_t n = strspn(number, "0123456789.");
    char digits[PARSE_TEXT_SIZE];
    double value;
    int r;

    if (n == 0 || n >= sizeof(digits))
        return -EINVAL;
    memcpy(digits, number, n);
    digits[n] = '\0';
    if (parse_decimal(digits, &value) == 0) {
        if (strcmp(number + n, "%") == 0) {
            *ret = (struct amount){(negative ? -value : value) / 100, AMOUNT_SHARE};
            return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
            if (strcmp(number + n, units[i].name) != 0)
                continue;
            value *= units[i].factor;
            *ret = (struct amount){negative ? -value : value, units[i].unit};
            return 0;
        }
    }
    r = parse_other(number, ret);
    if (r == 0 && negative)
        ret->value = -ret->value;
    return r;
}

enum amount_unit amount_unit(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (ends_with(name, ends[i].end))
            return ends[i].unit;
    }
    return AMOUNT_PLAIN;
}

bool amount_fits(const struct amount *a, const char *name)
{
    enum amount_unit unit = amount_unit(name);

    return a->unit == AMOUNT_PLAIN || a->unit == unit ||
           (a->unit != AMOUNT_TIME && unit == AMOUNT_PLAIN);
}

double amount_in(const struct amount *a, const char *name)
{
    if (a->unit != AMOUNT_TIME)
        return a->value;
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (ends[i].unit == AMOUNT_TIME && ends_with(name, ends[i].end))
            return a->value / ends[i].size;
    }
    return a->value / NS_PER_SEC;
}
