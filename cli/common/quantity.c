/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAR_MAX 40

struct unit {
    double size;
    const char *name;
};

/* Three digits: 3.33, 33.3, 333. */
static const char *scaled(double value, const char *unit, char *out)
{
    int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;

    (void)snprintf(out, QUANTITY_SIZE, "%.*f %s", decimals, value, unit);
    return out;
}

const char *quantity_duration(int64_t ns, bool utf8, char out[static QUANTITY_SIZE])
{
    const struct unit units[] = {{60e9, "min"}, {1e9, "s"}, {1e6, "ms"}, {1e3, utf8 ? "µs" : "us"}};
    double value = (double)ns;

    if (ns == 0) {
        strcpy(out, "0");
        return out;
    }
    if (value >= 600e9)
        return scaled(value / 60e9, units[0].name, out);
    for (size_t i = 1; i < sizeof(units) / sizeof(units[0]); i++) {
        /* What would be rounded to 1000 of a unit is 1 of the next. */
        if (value >= units[i].size * 0.9995)
            return scaled(value / units[i].size, units[i].name, out);
    }
    (void)snprintf(out, QUANTITY_SIZE, "%" PRId64 " ns", ns);
    return out;
}

int64_t quantity_whole(double value)
{
    const double beyond = 0x1p63;

    if (value >= beyond)
        return INT64_MAX;
    return value >= -beyond ? (int64_t)value : value < 0 ? INT64_MIN : 0;
}

const char *quantity_count(uint64_t n, char out[static QUANTITY_SIZE])
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
    size_t at = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *quantity_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

const char *quantity_mean(double value, char out[static QUANTITY_SIZE])
{
    if (value >= 99.95)
        return quantity_count((uint64_t)quantity_whole(value + 0.5), out);
    (void)snprintf(out, QUANTITY_SIZE, "%.*f", value >= 9.995 ? 1 : 2, value);
    return out;
}

const char *quantity_bytes(uint64_t n, char out[static QUANTITY_SIZE])
{
    static const struct unit units[] = {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}};
    double value = (double)n;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (value >= units[i].size * 0.9995)
            return scaled(value / units[i].size, units[i].name, out);
    }
    (void)snprintf(out, QUANTITY_SIZE, "%" PRIu64 " B", n);
    return out;
}

const char *quantity_share(double share, char out[static QUANTITY_SIZE])
{
    double percent = share * 100;

    if (share < 0)
        strcpy(out, "-");
    else if (percent >= 99.95)
        (void)snprintf(out, QUANTITY_SIZE, "%.0f%%", percent);
    else if (percent == 0)
        strcpy(out, "0%");
    else
        (void)snprintf(out, QUANTITY_SIZE, "%.*f%%", percent < 0.095 ? 2 : 1, percent);
    return out;
}

const char *quantity_bar(double share, unsigned width, bool utf8,
                         char out[static QUANTITY_BAR_SIZE])
{
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    unsigned eighths;
    size_t at = 0;

    if (width > BAR_MAX)
        width = BAR_MAX;
    if (!(share > 0))
        share = 0;
    eighths = (unsigned)((share > 1 ? 1 : share) * width * 8 + 0.5);
    if (share > 0 && eighths == 0)
        eighths = 1;
    for (unsigned i = 0; i < eighths / 8; i++) {
        memcpy(out + at, utf8 ? "█" : "#", utf8 ? 3 : 1);
        at += utf8 ? 3 : 1;
    }
    out[at] = '\0';
    if (utf8)
        strcpy(out + at, parts[eighths % 8]);
    else if (eighths % 8 >= 4 || eighths < 8)
        strcpy(out + at, eighths > 0 ? "#" : "");
    return out;
}

const char *quantity_age(usec age, char out[static QUANTITY_AGE_SIZE])
{
    unsigned long long s = age / USEC_PER_SEC;

    if (s < 60)
        (void)snprintf(out, QUANTITY_AGE_SIZE, "%llus", s);
    else if (s < 3600)
        (void)snprintf(out, QUANTITY_AGE_SIZE, "%llum", s / 60);
    else if (s < 86400)
        (void)snprintf(out, QUANTITY_AGE_SIZE, "%lluh%02llum", s / 3600, s / 60 % 60);
    else
        (void)snprintf(out, QUANTITY_AGE_SIZE, "%llud%02lluh", s / 86400 % 1000000, s / 3600 % 24);
    return out;
}
