/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "cli/common/quantity.h"

/* A conversion of what the type does not hold is undefined: it is never made. */
static void test_whole(void **state)
{
    (void)state;
    assert_int_equal(quantity_whole(0), 0);
    assert_int_equal(quantity_whole(2.9), 2);
    assert_int_equal(quantity_whole(-2.9), -2);
    assert_int_equal(quantity_whole((double)INT64_MAX), INT64_MAX);
    assert_int_equal(quantity_whole((double)INT64_MIN), INT64_MIN);
    assert_int_equal(quantity_whole(0x1.fffffffffffffp62), INT64_MAX - 1023);
    assert_int_equal(quantity_whole(1e300), INT64_MAX);
    assert_int_equal(quantity_whole(-1e300), INT64_MIN);
    assert_int_equal(quantity_whole(INFINITY), INT64_MAX);
    assert_int_equal(quantity_whole(-INFINITY), INT64_MIN);
    assert_int_equal(quantity_whole(NAN), 0);
}

static void test_mean(void **state)
{
    char text[QUANTITY_SIZE];

    (void)state;
    assert_string_equal(quantity_mean(0.021, text), "0.02");
    assert_string_equal(quantity_mean(49.94, text), "49.9");
    assert_string_equal(quantity_mean(1024.4, text), "1,024");
    assert_string_equal(quantity_mean(1e300, text), "9,223,372,036,854,775,807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_mean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
