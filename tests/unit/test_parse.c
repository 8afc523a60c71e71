/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define MARK 0xdeadbeefcafeULL /* must survive a failure */

struct row {
    const char *text;
    int r;
    uint64_t value;
};

static void check_rows(int (*parse)(const char *, uint64_t *), const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t value = MARK;
        int r = parse(rows[i].text, &value);

        if (r != rows[i].r || value != (r == 0 ? rows[i].value : MARK))
            fail_msg("\"%s\": %d, %llu", rows[i].text, r, (unsigned long long)value);
    }
}

#define CHECK(parse, rows) check_rows((parse), (rows), sizeof(rows) / sizeof((rows)[0]))

static void test_duration(void **state)
{
    static const struct row rows[] = {
        {"0", 0, 0},
        {"0s", 0, 0},
        {"5m", 0, 5 * USEC_PER_MIN},
        {"1h30m", 0, 90 * USEC_PER_MIN},
        {"7d", 0, 7 * USEC_PER_DAY},
        {"1y1w1d1h1m1s1ms", 0,
         373 * USEC_PER_DAY + USEC_PER_HOUR + USEC_PER_MIN + USEC_PER_SEC + USEC_PER_MSEC},
        {"1.5s", 0, 1500000},
        {"1m1.9s", 0, 61900000},
        {"0.5h", 0, 30 * USEC_PER_MIN},
        {"0.000001s", 0, 1},
        {"0.0000005s", 0, 1},
        {"0.0000004s", 0, 0},
        {"1.00000000000000000000000000009s", 0, USEC_PER_SEC},
        {"007s", 0, 7 * USEC_PER_SEC},
        {"584542y", 0, 584542ULL * 365 * USEC_PER_DAY},
        {"", -EINVAL, 0},
        {"5", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"-5s", -EINVAL, 0},
        {"+5s", -EINVAL, 0},
        {" 5s", -EINVAL, 0},
        {"5s ", -EINVAL, 0},
        {"5 s", -EINVAL, 0},
        {"5S", -EINVAL, 0},
        {"5us", -EINVAL, 0},
        {"5min", -EINVAL, 0},
        {"5m5m", -EINVAL, 0},
        {"5s5m", -EINVAL, 0},
        {"1m30", -EINVAL, 0},
        {"1.5m30s", -EINVAL, 0},
        {"1.s", -EINVAL, 0},
        {".5s", -EINVAL, 0},
        {"1,5s", -EINVAL, 0},
        {"1e3s", -EINVAL, 0},
        {"0x10s", -EINVAL, 0},
        {"99999999999999999999s", -ERANGE, 0},
        {"18446744073710s", -ERANGE, 0},
        {"584943y", -ERANGE, 0},
        {"584942y52w", -ERANGE, 0},
        {"18446744073709.551615s", -ERANGE, 0}, /* would be USEC_NEVER */
        {"18446744073709.551614s", 0, UINT64_MAX - 1},
    };

    (void)state;
    CHECK(parse_duration, rows);
}

static void test_size(void **state)
{
    static const struct row rows[] = {
        {"0", 0, 0},
        {"1", 0, 1},
        {"1B", 0, 1},
        {"64KiB", 0, 65536},
        {"64MiB", 0, 64ULL << 20},
        {"64MB", 0, 64000000},
        {"1kB", 0, 1000},
        {"1KB", 0, 1000},
        {"2GiB", 0, 2ULL << 30},
        {"2GB", 0, 2000000000},
        {"3TiB", 0, 3ULL << 40},
        {"3TB", 0, 3000000000000},
        {"1.5GiB", 0, 3ULL << 29},
        {"0.5kB", 0, 500},
        {"18446744073709551615", 0, UINT64_MAX},
        {"16777215TiB", 0, 16777215ULL << 40},
        {"", -EINVAL, 0},
        {"MiB", -EINVAL, 0},
        {"1.5", -EINVAL, 0},
        {"1.5B", -EINVAL, 0},
        {"1mib", -EINVAL, 0},
        {"1 MiB", -EINVAL, 0},
        {"1MiB ", -EINVAL, 0},
        {"1MiB1", -EINVAL, 0},
        {"1M", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"18446744073709551616", -ERANGE, 0},
        {"16777216TiB", -ERANGE, 0},
        {"16777215.9999999999999TiB", 0, 18446744073709550516ULL},
    };

    (void)state;
    CHECK(parse_size, rows);
}

static int parse_port(const char *text, uint64_t *ret)
{
    return parse_unsigned(text, 65535, ret);
}

static void test_unsigned(void **state)
{
    static const struct row rows[] = {
        {"0", 0, 0},
        {"65535", 0, 65535},
        {"00080", 0, 80},
        {"65536", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1.0", -EINVAL, 0},
        {"0x1f", -EINVAL, 0},
        {"1\n", -EINVAL, 0},
        {"99999999999999999999999", -ERANGE, 0},
    };
    uint64_t all;

    (void)state;
    CHECK(parse_port, rows);
    assert_int_equal(parse_unsigned("18446744073709551615", UINT64_MAX, &all), 0);
    assert_true(all == UINT64_MAX);
}

struct decimal_row {
    const char *text;
    int r;
    double value;
};

static void check_decimals(int (*parse)(const char *, double *), const struct decimal_row *rows,
                           size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double value = -7;
        int r = parse(rows[i].text, &value);
        double error = value - (r == 0 ? rows[i].value : -7);

        if (r != rows[i].r || error > 1e-12 || error < -1e-12)
            fail_msg("\"%s\": %d, %g", rows[i].text, r, value);
    }
}

static void test_ratio(void **state)
{
    static const struct decimal_row rows[] = {
        {"0", 0, 0},          {"1", 0, 1},         {"0.6", 0, 0.6},     {"60%", 0, 0.6},
        {"100%", 0, 1},       {"0.5%", 0, 0.005},  {"1.0", 0, 1},       {"101%", -ERANGE, 0},
        {"1.1", -ERANGE, 0},  {"", -EINVAL, 0},    {"%", -EINVAL, 0},   {"60%%", -EINVAL, 0},
        {"60 %", -EINVAL, 0}, {"-1%", -EINVAL, 0}, {"nan", -EINVAL, 0}, {"1e-1", -EINVAL, 0},
    };

    (void)state;
    check_decimals(parse_ratio, rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_decimal(void **state)
{
    static const struct decimal_row rows[] = {
        {"2", 0, 2},
        {"1.9", 0, 1.9},
        {"0.25", 0, 0.25},
        {"2.", -EINVAL, 0},
        {".5", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"inf", -EINVAL, 0},
        {"nan", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1.9s", -EINVAL, 0},
        {"99999999999999999999", -ERANGE, 0},
    };

    (void)state;
    check_decimals(parse_decimal, rows, sizeof(rows) / sizeof(rows[0]));
}

static void assert_duration_text(usec value, const char *expected)
{
    char out[PARSE_TEXT_SIZE];

    assert_ptr_equal(format_duration(value, out), out);
    assert_string_equal(out, expected);
}

static void test_format_duration(void **state)
{
    (void)state;
    assert_duration_text(0, "0s");
    assert_duration_text(1, "0.000001s");
    assert_duration_text(1900000, "1.9s");
    assert_duration_text(10 * USEC_PER_SEC, "10s");
    assert_duration_text(100 * USEC_PER_SEC, "1m40s");
    assert_duration_text(5 * USEC_PER_MIN, "5m");
    assert_duration_text(90 * USEC_PER_MIN, "1h30m");
    assert_duration_text(USEC_PER_HOUR + 1, "1h0.000001s");
    assert_duration_text(10 * USEC_PER_DAY, "1w3d");
}

static void test_duration_reads_back(void **state)
{
    uint64_t x = 0x9e3779b97f4a7c15ULL;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char out[PARSE_TEXT_SIZE];
        usec value, back = 1;

        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        value = i == 0 ? USEC_NEVER - 1 : x >> (i % 64);
        if (value == USEC_NEVER)
            continue;
        assert_int_equal(parse_duration(format_duration(value, out), &back), 0);
        assert_true(back == value);
        assert_true(strlen(out) < PARSE_TEXT_SIZE);
    }
}

static void test_format_wait(void **state)
{
    char out[PARSE_TEXT_SIZE];

    (void)state;
    assert_string_equal(format_wait(78 * USEC_PER_SEC + 859, out), "1m19s");
    assert_string_equal(format_wait(78 * USEC_PER_SEC, out), "1m18s");
    assert_string_equal(format_wait(1, out), "1s");
    assert_string_equal(format_wait(0, out), "0s");
    assert_null(strchr(format_wait(USEC_NEVER, out), '.'));
}

static void assert_size_text(uint64_t bytes, const char *expected)
{
    char out[PARSE_TEXT_SIZE];

    assert_string_equal(format_size(bytes, out), expected);
}

static void test_format_size(void **state)
{
    (void)state;
    assert_size_text(0, "0B");
    assert_size_text(1023, "1023B");
    assert_size_text(1024, "1.0KiB");
    assert_size_text(3355443, "3.2MiB");
    assert_size_text(512ULL << 20, "512MiB");
    assert_size_text(UINT64_MAX, "16.0EiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_unsigned),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_format_duration),
        cmocka_unit_test(test_duration_reads_back),
        cmocka_unit_test(test_format_wait),
        cmocka_unit_test(test_format_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
