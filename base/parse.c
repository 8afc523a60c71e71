/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first: a duration's parts must come in this order. */
static const struct unit duration_units[] = {
    {"y", 365 * USEC_PER_DAY}, {"w", 7 * USEC_PER_DAY}, {"d", USEC_PER_DAY},   {"h", USEC_PER_HOUR},
    {"m", USEC_PER_MIN},       {"s", USEC_PER_SEC},     {"ms", USEC_PER_MSEC},
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
    {"kB", 1000ULL},
    {"KB", 1000ULL},
    {"MB", 1000000ULL},
    {"GB", 1000000000ULL},
    {"TB", 1000000000000ULL},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A number whole/scale; at most nine digits of a fraction count. */
struct number {
    uint64_t whole;
    uint64_t fraction; /* in 1e-9 */
    bool fractional;
};

/* Reads digits[.digits] at *p and moves *p behind it. */
static int parse_number(const char **p, struct number *ret)
{
    struct number n = {0};
    uint64_t weight = 100000000;

    if (!is_digit(**p))
        return -EINVAL;
    for (; is_digit(**p); (*p)++) {
        if (__builtin_mul_overflow(n.whole, 10, &n.whole) ||
            __builtin_add_overflow(n.whole, (uint64_t)(**p - '0'), &n.whole))
            return -ERANGE;
    }
    if (**p == '.') {
        (*p)++;
        if (!is_digit(**p))
            return -EINVAL;
        n.fractional = true;
        for (; is_digit(**p); (*p)++) {
            n.fraction += (uint64_t)(**p - '0') * weight;
            weight /= 10;
        }
    }
    *ret = n;
    return 0;
}

/* number × factor, the fraction rounded to the nearest unit. */
static int scale(const struct number *n, uint64_t factor, uint64_t *ret)
{
    uint64_t value, part;

    if (__builtin_mul_overflow(n->whole, factor, &value))
        return -ERANGE;
    part = (uint64_t)(((__uint128_t)n->fraction * factor + 500000000) / 1000000000);
    if (__builtin_add_overflow(value, part, &value))
        return -ERANGE;
    *ret = value;
    return 0;
}

/* The unit whose name is exactly the letters at *p; moves *p behind them. Index or -EINVAL. */
static int parse_unit(const char **p, const struct unit *units, size_t n_units)
{
    size_t len = 0;

    while (is_letter((*p)[len]))
        len++;
    for (size_t i = 0; i < n_units; i++) {
        if (strlen(units[i].name) == len && memcmp(units[i].name, *p, len) == 0) {
            *p += len;
            return (int)i;
        }
    }
    return -EINVAL;
}

int parse_duration(const char *text, usec *ret_usec)
{
    const char *p = text;
    int last = -1;
    usec total = 0;

    if (strcmp(text, "0") == 0) {
        *ret_usec = 0;
        return 0;
    }
    do {
        struct number n;
        uint64_t part;
        int unit, r;

        r = parse_number(&p, &n);
        if (r < 0)
            return r;
        unit = parse_unit(&p, duration_units, ARRAY_SIZE(duration_units));
        if (unit < 0 || unit <= last)
            return -EINVAL;
        if (n.fractional && *p != '\0')
            return -EINVAL;
        r = scale(&n, duration_units[unit].factor, &part);
        if (r < 0 || __builtin_add_overflow(total, part, &total))
            return -ERANGE;
        last = unit;
    } while (*p != '\0');
    if (total == USEC_NEVER)
        return -ERANGE;
    *ret_usec = total;
    return 0;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
    const char *p = text;
    struct number n;
    uint64_t bytes;
    int unit, r;

    r = parse_number(&p, &n);
    if (r < 0)
        return r;
    unit = parse_unit(&p, size_units, ARRAY_SIZE(size_units));
    if (unit < 0 || *p != '\0')
        return -EINVAL;
    if (n.fractional && size_units[unit].factor == 1)
        return -EINVAL;
    r = scale(&n, size_units[unit].factor, &bytes);
    if (r < 0)
        return r;
    *ret_bytes = bytes;
    return 0;
}

int parse_decimal(const char *text, double *ret_value)
{
    const char *p = text;
    struct number n;
    int r = parse_number(&p, &n);

    if (r < 0)
        return r;
    if (*p != '\0')
        return -EINVAL;
    *ret_value = (double)n.whole + (double)n.fraction / 1e9;
    return 0;
}

int parse_ratio(const char *text, double *ret_ratio)
{
    const char *p = text;
    struct number n;
    double value;
    int r = parse_number(&p, &n);

    if (r < 0)
        return r;
    value = (double)n.whole + (double)n.fraction / 1e9;
    if (*p == '%') {
        value /= 100;
        p++;
    }
    if (*p != '\0')
        return -EINVAL;
    if (value > 1)
        return -ERANGE;
    *ret_ratio = value;
    return 0;
}

int parse_unsigned(const char *text, uint64_t max, uint64_t *ret_value)
{
    const char *p = text;
    struct number n;
    int r = parse_number(&p, &n);

    if (r < 0)
        return r;
    if (*p != '\0' || n.fractional)
        return -EINVAL;
    if (n.whole > max)
        return -ERANGE;
    *ret_value = n.whole;
    return 0;
}

/* Milliseconds and below become a fraction of the seconds, so that any value reads back. */
const char *format_duration(usec value, char out[static PARSE_TEXT_SIZE])
{
    size_t len = 0;
    usec rest = value;

    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(duration_units) - 2; i++) {
        usec count = rest / duration_units[i].factor;

        if (count == 0)
            continue;
        len += (size_t)snprintf(out + len, PARSE_TEXT_SIZE - len, "%llu%s",
                                (unsigned long long)count, duration_units[i].name);
        rest %= duration_units[i].factor;
    }
    if (rest == 0 && len > 0)
        return out;
    len += (size_t)snprintf(out + len, PARSE_TEXT_SIZE - len, "%llu.%06llu",
                            (unsigned long long)(rest / USEC_PER_SEC),
                            (unsigned long long)(rest % USEC_PER_SEC));
    while (out[len - 1] == '0')
        len--;
    if (out[len - 1] == '.')
        len--;
    (void)snprintf(out + len, PARSE_TEXT_SIZE - len, "s");
    return out;
}

const char *format_wait(usec value, char out[static PARSE_TEXT_SIZE])
{
    usec over = value % USEC_PER_SEC;

    value -= over;
    if (over > 0 && value < USEC_NEVER - USEC_PER_SEC)
        value += USEC_PER_SEC;
    return format_duration(value, out);
}

const char *format_size(uint64_t bytes, char out[static PARSE_TEXT_SIZE])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t i = 0;

    while (value >= 1024 && i + 1 < ARRAY_SIZE(names)) {
        value /= 1024;
        i++;
    }
    (void)snprintf(out, PARSE_TEXT_SIZE, i == 0 || value >= 100 ? "%.0f%s" : "%.1f%s", value,
                   names[i]);
    return out;
}
