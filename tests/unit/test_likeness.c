/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/likeness.h"

static void test_names(void **state)
{
    (void)state;
    assert_true(likeness_of("", "") < 0.1);
    assert_true(likeness_of("a", "a") > 0.99);
    assert_true(likeness_of("scheduler.latncy.p99_ns", "scheduler.latency.p99_ns") >
                LIKENESS_LEAST);
    assert_true(likeness_of("max_gc", "gc_max") > 0.99); /* the same words */
    assert_true(likeness_of("scheduler.latency.p99_ns", "bytes") < LIKENESS_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
