/* SPDX-License-Identifier: Apache-2.0 */

/* Where goroutines were created that are left, and what they wait for, of a trace made by hand. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/summary/summary.h"

static struct summary sums;

static void sum_up(void)
{
    struct gotrace *t = rawtrace_open(rawtrace.n, NULL);

    assert_int_equal(summary_run(t, &sums), 0);
    assert_true(sums.complete);
    gotrace_close(t);
}

/* Goroutine 1 creates ten others, of which two end and eight wait. Goroutine 50 is older. */
static void test_growth(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(200);
    EVENT4(GO_STATUS, 1, 50, UINT64_MAX, 4); /* waits */
    for (unsigned i = 2; i < 12; i++)
        EVENT4(GO_CREATE, 1000000, i, 7, 7);
    EVENT3(GO_BLOCK, 10, 4, 7);
    for (unsigned i = 2; i < 12; i++) {
        EVENT3(GO_START, 10, i, 1);
        if (i < 4)
            EVENT1(GO_DESTROY, 10);
        else
            EVENT3(GO_BLOCK, 10, 4, 7);
    }
    rawtrace_end_batch();
    rawtrace_end_generation();
    sum_up();
    assert_int_equal(sums.goroutines.created, 10);
    assert_int_equal(sums.growth.n, 1);
    assert_string_equal(sums.growth.list[0].at.func, "main.inner");
    assert_int_equal(sums.growth.list[0].created, 10);
    assert_int_equal(sums.growth.list[0].ended, 2);
    assert_string_equal(sums.growth.reason, "sync");
    assert_true(sums.growth.blocked);
    assert_string_equal(sums.growth.waits_at.func, "main.inner");
    assert_int_equal(sums.growth.waiting, 8);
    assert_int_equal(sums.growth.older_ended, 0);
    assert_int_equal(sums.growth.older_waiting, 1); /* goroutine 1 */
    assert_int_equal(sums.growth.older_untold, 1);
    assert_int_equal(sums.growth.in_network, 0);
    summary_done(&sums);
}

/* Nobody creates any; the one that ends is older than the trace. */
static void test_none_created(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(200);
    EVENT1(GO_DESTROY, 10);
    rawtrace_end_batch();
    rawtrace_end_generation();
    sum_up();
    assert_int_equal(sums.growth.n, 0);
    assert_string_equal(sums.growth.reason, "");
    assert_int_equal(sums.growth.older_ended, 1);
    summary_done(&sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_none_created),
    };

    return cmocka_run_group_tests_name("summary_growth", tests, NULL, NULL);
}
