/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static void assert_text(usec real, const char *expected)
{
    char out[CLOCK_RFC3339_SIZE];

    assert_ptr_equal(clock_rfc3339(real, out), out);
    assert_string_equal(out, expected);
}

static void test_rfc3339(void **state)
{
    (void)state;
    assert_text(0, "1970-01-01T00:00:00.000Z");
    assert_text(999, "1970-01-01T00:00:00.000Z");
    assert_text(1000, "1970-01-01T00:00:00.001Z");
    assert_text(999999, "1970-01-01T00:00:00.999Z");
    assert_text(USEC_PER_SEC, "1970-01-01T00:00:01.000Z");
    assert_text(951782399 * USEC_PER_SEC, "2000-02-28T23:59:59.000Z");
    assert_text(951782400 * USEC_PER_SEC, "2000-02-29T00:00:00.000Z");
    assert_text(1773480413 * USEC_PER_SEC + 589793, "2026-03-14T09:26:53.589Z");
    assert_text(2147483648 * USEC_PER_SEC, "2038-01-19T03:14:08.000Z");
    assert_text(253402300799 * USEC_PER_SEC + 999999, "9999-12-31T23:59:59.999Z");
}

static void test_rfc3339_out_of_range(void **state)
{
    (void)state;
    assert_text(253402300800 * USEC_PER_SEC, "invalid");
    assert_text(USEC_NEVER, "invalid");
}

static void test_rfc3339_is_utc(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "Asia/Kathmandu", 1), 0);
    tzset();
    assert_text(0, "1970-01-01T00:00:00.000Z");
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

static void test_clocks_go_on(void **state)
{
    usec boot = clock_boot(), monotonic = clock_monotonic();

    (void)state;
    assert_true(clock_boot() >= boot);
    assert_true(clock_monotonic() >= monotonic);
    assert_true(clock_boot() >= monotonic); /* it counts the time spent suspended, too */
    assert_true(clock_real() > 1700000000 * USEC_PER_SEC);
}

static void test_parse_rfc3339(void **state)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-03-14",
        "2026-03-14T09:26:53",
        "2026-03-14 09:26:53Z",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-03-14T24:00:00Z",
        "2026-03-14T09:26:53.Z",
        "2026-03-14T09:26:53Zx",
        "2026-03-14T09:26:53+2:00",
        "2026-03-14T09:26:53+02",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "+026-03-14T09:26:53Z",
    };
    usec t = 0;

    (void)state;
    assert_int_equal(clock_parse_rfc3339("2026-03-14T09:26:53Z", &t), 0);
    assert_true(t == 1773480413 * USEC_PER_SEC);
    assert_int_equal(clock_parse_rfc3339("2026-03-14T11:26:53.589+02:00", &t), 0);
    assert_true(t == 1773480413 * USEC_PER_SEC + 589 * USEC_PER_MSEC);
    assert_int_equal(clock_parse_rfc3339("2026-03-14T04:56:53.1234567-04:30", &t), 0);
    assert_true(t == 1773480413 * USEC_PER_SEC + 123456);
    assert_int_equal(clock_parse_rfc3339("2028-02-29T00:00:60Z", &t), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (clock_parse_rfc3339(bad[i], &t) != -EINVAL)
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_rfc3339),        cmocka_unit_test(test_rfc3339),
        cmocka_unit_test(test_rfc3339_out_of_range), cmocka_unit_test(test_rfc3339_is_utc),
        cmocka_unit_test(test_clocks_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
