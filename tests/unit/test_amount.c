/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "lib/value/amount.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        double value;
        enum amount_unit unit;
    } rows[] = {
        {"0", 0, AMOUNT_PLAIN},        {"1.5", 1.5, AMOUNT_PLAIN},
        {"-3", -3, AMOUNT_PLAIN},      {"20k", 20e3, AMOUNT_PLAIN},
        {"2M", 2e6, AMOUNT_PLAIN},     {"1G", 1e9, AMOUNT_PLAIN},
        {"1%", 0.01, AMOUNT_SHARE},    {"-150%", -1.5, AMOUNT_SHARE},
        {"7ns", 7, AMOUNT_TIME},       {"7us", 7e3, AMOUNT_TIME},
        {"7µs", 7e3, AMOUNT_TIME},     {"50ms", 50e6, AMOUNT_TIME},
        {"1.5s", 1.5e9, AMOUNT_TIME},  {"1h30m", 5400e9, AMOUNT_TIME},
        {"-2ms", -2e6, AMOUNT_TIME},   {"4MiB", 4 * 1048576.0, AMOUNT_SIZE},
        {"10KiB", 10240, AMOUNT_SIZE}, {"3MB", 3e6, AMOUNT_SIZE},
    };
    static const char *const wrong[] = {"",     "-",   "ms",  "1..2", "1 ms", "1e3", "0x10",
                                        "5mss", "--1", "1%%", "1K",   "nan",  "inf", "1.2.3s"};
    struct amount a;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (amount_parse(rows[i].text, &a) != 0 || fabs(a.value - rows[i].value) > 1e-9 ||
            a.unit != rows[i].unit)
            fail_msg("%s: %g, %d", rows[i].text, a.value, (int)a.unit);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (amount_parse(wrong[i], &a) != -EINVAL)
            fail_msg("'%s' is an amount", wrong[i]);
    }
}

static double in(const char *text, const char *name)
{
    struct amount a;

    assert_int_equal(amount_parse(text, &a), 0);
    return amount_in(&a, name);
}

static void test_units(void **state)
{
    (void)state;
    assert_true(in("50ms", "p99_ns") == 50000000);
    assert_true(in("50ms", "wait_us") == 50000);
    assert_true(in("50ms", "wait_milliseconds_total") == 50);
    assert_true(in("50ms", "gc_duration_seconds_sum") == 0.05);
    assert_true(in("5%", "idle_share") == 0.05);
    assert_true(in("7", "p99_ns") == 7);
    assert_true(in("1KiB", "heap_max_bytes") == 1024);
}

static bool fits(const char *text, const char *name)
{
    struct amount a;

    assert_int_equal(amount_parse(text, &a), 0);
    return amount_fits(&a, name);
}

static void test_fits(void **state)
{
    (void)state;
    assert_true(fits("5", "p99_ns") && fits("5ms", "p99_ns"));
    assert_false(fits("5%", "p99_ns") || fits("5MiB", "p99_ns"));
    assert_false(fits("5ms", "cycles") || fits("5ms", "idle_share"));
    assert_true(fits("5%", "mmu_10ms") && fits("5MiB", "bytes") && fits("5%", "ratio"));
    assert_false(fits("5%", "heap_max_bytes") || fits("5MiB", "idle_share"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
