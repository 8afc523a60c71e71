/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/store/identity/refresh.h"

#define REAL (1773480413 * USEC_PER_SEC)
#define BOOT (1000 * USEC_PER_SEC)

static struct refresh_now at(usec after, double random)
{
    return (struct refresh_now){.real = REAL + after, .boot = BOOT + after, .random = random};
}

static void renew(struct refresh *r, usec expiry, bool by_refusal, usec after)
{
    const struct refresh_now now = at(after, 0.5);

    refresh_renewed(r, expiry, by_refusal, &now);
}

static void check_next(const struct refresh *r, usec after, usec real, usec boot)
{
    const struct refresh_now now = at(after, 0);
    usec next_real, next_boot;

    refresh_next(r, &now, &next_real, &next_boot);
    assert_true(next_real == real);
    assert_true(next_boot == boot);
}

static void test_nothing_yet(void **state)
{
    struct refresh r = {0};
    const struct refresh_now now = at(0, 0.999);

    (void)state;
    assert_int_equal(refresh_age(&r, REAL), CREDPLAN_EXPIRED);
    check_next(&r, 0, USEC_NEVER, USEC_NEVER);
    refresh_failed(&r, &now);
    assert_int_equal(r.failures, 1);
    assert_in_range(r.next_at, BOOT + 4 * USEC_PER_SEC, BOOT + 5 * USEC_PER_SEC);
    check_next(&r, 0, USEC_NEVER, USEC_NEVER); /* who needs some asks */
    for (int i = 0; i < 40; i++)
        refresh_failed(&r, &now);
    assert_in_range(r.next_at, BOOT + 59 * USEC_PER_SEC, BOOT + 60 * USEC_PER_SEC);
    renew(&r, USEC_NEVER, false, 0);
    assert_int_equal(r.failures, 0);
    assert_int_equal(r.next_at, 0);
    check_next(&r, 0, USEC_NEVER, USEC_NEVER);
}

static void test_expiry(void **state)
{
    struct refresh r = {0};
    const usec expiry = REAL + USEC_PER_HOUR;
    const struct refresh_now late = at(46 * USEC_PER_MIN, 0.999);

    (void)state;
    renew(&r, expiry, false, 0);
    check_next(&r, 0, expiry - 15 * USEC_PER_MIN, USEC_NEVER);
    refresh_failed(&r, &late);
    assert_in_range(r.next_at, late.boot + 4 * USEC_PER_SEC, late.boot + 5 * USEC_PER_SEC);
    check_next(&r, 46 * USEC_PER_MIN, USEC_NEVER, r.next_at);
    /* The same once more is no progress; with more time to live it is. */
    refresh_same(&r, expiry, false, &late);
    assert_int_equal(r.failures, 2);
    refresh_same(&r, expiry + USEC_PER_HOUR, false, &late);
    assert_int_equal(r.failures, 0);
    check_next(&r, 46 * USEC_PER_MIN, expiry + 45 * USEC_PER_MIN, USEC_NEVER);
}

static void test_refusals(void **state)
{
    struct refresh r = {0};
    usec last = 0;

    (void)state;
    renew(&r, USEC_NEVER, false, 0);
    assert_int_equal(r.next_at, 0); /* the first refusal is obeyed at once */
    for (unsigned n = 1; n <= 5; n++) {
        renew(&r, USEC_NEVER, true, n * USEC_PER_SEC);
        assert_int_equal(r.refusals, n);
        assert_true(r.next_at - BOOT - n * USEC_PER_SEC > last);
        last = r.next_at - BOOT - n * USEC_PER_SEC;
    }
    renew(&r, USEC_NEVER, true, USEC_PER_HOUR);
    assert_int_equal(r.refusals, 1);
    renew(&r, USEC_NEVER, false, USEC_PER_HOUR);
    assert_int_equal(r.refusals, 0);
    assert_int_equal(r.next_at, 0);
}

/* What comes is dead on arrival, by our clock. */
static void test_wrong_clock(void **state)
{
    struct refresh r = {0};

    (void)state;
    for (unsigned n = 1; n <= 20; n++) {
        renew(&r, REAL - USEC_PER_HOUR, false, n * USEC_PER_SEC);
        assert_int_equal(r.failures, n);
        check_next(&r, n * USEC_PER_SEC, USEC_NEVER, r.next_at);
    }
    assert_true(r.next_at == BOOT + 20 * USEC_PER_SEC + 150 * USEC_PER_SEC);
    renew(&r, REAL + USEC_PER_DAY, false, USEC_PER_HOUR);
    assert_int_equal(r.failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_yet),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_wrong_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
