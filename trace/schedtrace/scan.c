/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/scan.h"

#include <stddef.h>
#include <string.h>

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

bool scan_text(const char **at, const char *expected)
{
    size_t n = strlen(expected);

    if (strncmp(*at, expected, n) != 0)
        return false;
    *at += n;
    return true;
}

bool scan_number(const char **at, uint64_t max, uint64_t *ret)
{
    const char *p = *at;
    uint64_t value = 0;

    for (; digit(*p); p++) {
        uint64_t next = (uint64_t)(*p - '0');

        if (value > (UINT64_MAX - next) / 10)
            return false;
        value = value * 10 + next;
    }
    if (p == *at || value > max)
        return false;
    *at = p;
    *ret = value;
    return true;
}

bool scan_decimal(const char **at, double *ret)
{
    const char *p = *at;
    double value = 0, unit = 1;

    if (!digit(*p))
        return false;
    for (; digit(*p); p++)
        value = value * 10 + (*p - '0');
    if (*p == '.' && digit(p[1])) {
        for (p++; digit(*p); p++) {
            unit /= 10;
            value += (*p - '0') * unit;
        }
    }
    if (!(value < 1e15))
        return false;
    *at = p;
    *ret = value;
    return true;
}
