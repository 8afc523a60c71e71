/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/outcome/counters.h"

static void assert_described(const struct counters *c, const char *expected)
{
    struct buf out;

    buf_init(&out, 4096);
    counters_describe(c, &out);
    assert_string_equal(buf_str(&out), expected);
    buf_done(&out);
}

static void test_nothing(void **state)
{
    const struct counters c = {0};

    (void)state;
    assert_described(&c, "no captures");
}

static void test_some(void **state)
{
    struct counters c = {0};

    (void)state;
    c.captures[OUTCOME_BUSY] = 1;
    assert_described(&c, "captures: 1 busy");
    c.captures[OUTCOME_OK] = 12;
    c.captures[OUTCOME_TRUNCATED] = 3;
    c.captures[OUTCOME_CANCELLED] = UINT64_MAX;
    assert_described(&c, "captures: 12 ok, 3 truncated, 1 busy, 18446744073709551615 cancelled");
    c.inspections[INSPECTION_OK] = 13;
    c.inspections[INSPECTION_TIMEOUT] = 2;
    c.labels_lost = 1;
    assert_described(&c, "captures: 12 ok, 3 truncated, 1 busy, 18446744073709551615 cancelled;"
                         " inspections: 13 ok, 2 timeout, 1 not written");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
