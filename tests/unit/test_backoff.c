/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>

#include "base/backoff.h"

static void test_ceiling(void **state)
{
    const struct backoff b = BACKOFF_DEFAULT, zero = {0};

    (void)state;
    assert_true(backoff_ceiling(&b, 0) == USEC_PER_SEC);
    assert_true(backoff_ceiling(&b, 8) == 256 * USEC_PER_SEC);
    for (unsigned i = 9; i < 200; i++)
        assert_true(backoff_ceiling(&b, i) == BACKOFF_CAP);
    assert_true(backoff_ceiling(&b, UINT_MAX) == BACKOFF_CAP);
    assert_true(backoff_ceiling(&zero, 3) == 0);
}

static void test_wait(void **state)
{
    const struct backoff b = BACKOFF_DEFAULT;

    (void)state;
    assert_true(backoff_wait(&b, 3, 0, 0) == 0);
    assert_true(backoff_wait(&b, 3, 0, UINT64_MAX) == 8 * USEC_PER_SEC);
    assert_true(backoff_wait(&b, 3, 0, UINT64_MAX / 2) / USEC_PER_SEC == 4 ||
                backoff_wait(&b, 3, 0, UINT64_MAX / 2) / USEC_PER_SEC == 3);
    assert_true(backoff_wait(&b, 0, USEC_PER_MIN, 0) == USEC_PER_MIN);
    assert_true(backoff_wait(&b, 0, USEC_NEVER, UINT64_MAX) == USEC_NEVER);
    assert_true(backoff_draw(USEC_NEVER, UINT64_MAX) == USEC_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
