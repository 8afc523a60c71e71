/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "trace/export/steps.h"

static struct steps steps;
static struct step got[2];

static int setup(void **state)
{
    (void)state;
    steps = (struct steps){0};
    return 0;
}

static void is(size_t i, int64_t time, int64_t value)
{
    assert_int_equal(got[i].time, time);
    assert_int_equal(got[i].value, value);
}

/* Within a span there is one step: the most that it was. */
static void test_span(void **state)
{
    (void)state;
    assert_int_equal(steps_set(&steps, 1000, 1, got), 0);
    assert_int_equal(steps_set(&steps, 1001, 9, got), 0);
    assert_int_equal(steps_set(&steps, 1002, 2, got), 0);
    assert_int_equal(steps_set(&steps, 1000 + STEPS_SPAN, 3, got), 1);
    is(0, 1000, 9);
    assert_int_equal(steps_end(&steps, INT64_MAX, got), 1);
    is(0, 1000 + STEPS_SPAN, 3);
    assert_int_equal(steps_end(&steps, INT64_MAX, got), 0);
}

/* What it was last goes on, if nothing follows for long. */
static void test_goes_on(void **state)
{
    (void)state;
    assert_int_equal(steps_set(&steps, 1000, 9, got), 0);
    assert_int_equal(steps_set(&steps, 1001, 2, got), 0);
    assert_int_equal(steps_set(&steps, 1000 + 5 * STEPS_SPAN, 2, got), 2);
    is(0, 1000, 9);
    is(1, 1000 + STEPS_SPAN, 2);
    assert_int_equal(steps_set(&steps, 1000 + 50 * STEPS_SPAN, 4, got), 0); /* it was 2 already */
    assert_int_equal(steps_set(&steps, 1001 + 50 * STEPS_SPAN, 1, got), 0);
    assert_int_equal(steps_end(&steps, 1002 + 50 * STEPS_SPAN, got),
                     1); /* nothing behind the end */
    is(0, 1000 + 50 * STEPS_SPAN, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_span, setup),
        cmocka_unit_test_setup(test_goes_on, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
