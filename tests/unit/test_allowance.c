/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/order/allowance.h"

#define START (1000 * USEC_PER_SEC)
#define WINDOW (2 * USEC_PER_SEC)

static struct allowance a;

static int setup(void **state)
{
    (void)state;
    allowance_init(&a);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    allowance_done(&a);
    return 0;
}

static void take(uint64_t id, usec window, usec now)
{
    assert_int_equal(allowance_wait(&a, id, window, now), 0);
    assert_int_equal(allowance_take(&a, id, window, now), 0);
}

static void test_burst_and_refill(void **state)
{
    (void)state;
    take(1, WINDOW, START);
    take(1, WINDOW, START);
    take(1, WINDOW, START);
    assert_int_equal(allowance_wait(&a, 1, WINDOW, START), 40 * USEC_PER_SEC);
    assert_int_equal(allowance_wait(&a, 1, WINDOW, START + 39 * USEC_PER_SEC), USEC_PER_SEC);
    take(1, WINDOW, START + 40 * USEC_PER_SEC);
    assert_int_equal(allowance_wait(&a, 1, WINDOW, START + 40 * USEC_PER_SEC), 40 * USEC_PER_SEC);
    take(1, WINDOW, START + 200 * USEC_PER_SEC); /* full again, and not fuller */
    take(1, WINDOW, START + 200 * USEC_PER_SEC);
    take(1, WINDOW, START + 200 * USEC_PER_SEC);
    assert_true(allowance_wait(&a, 1, 1, START + 200 * USEC_PER_SEC) > 0);
}

static void test_each_its_own(void **state)
{
    (void)state;
    take(1, ALLOWANCE_BURST, START);
    assert_true(allowance_wait(&a, 1, WINDOW, START) > 0);
    take(2, ALLOWANCE_BURST, START);
    assert_int_not_equal(allowance_id("a", "bc"), allowance_id("ab", "c"));
    assert_int_equal(allowance_id("job", "host:1"), allowance_id("job", "host:1"));
}

/* Longer than a bucket: allowed when it is full, and owed. */
static void test_longer_than_a_bucket(void **state)
{
    (void)state;
    take(1, 30 * USEC_PER_SEC, START);
    assert_int_equal(allowance_wait(&a, 1, 30 * USEC_PER_SEC, START), 600 * USEC_PER_SEC);
    assert_int_equal(allowance_wait(&a, 1, WINDOW, START), 520 * USEC_PER_SEC);
    take(1, 30 * USEC_PER_SEC, START + 600 * USEC_PER_SEC);
}

/* Whoever asks as often as he can gets a burst and the share. */
static void test_bound(void **state)
{
    static const usec windows[] = {USEC_PER_MSEC, WINDOW, 5 * USEC_PER_SEC, 30 * USEC_PER_SEC};
    const usec day = USEC_PER_DAY;

    (void)state;
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        usec traced = 0, now = START;

        while (now < START + day) {
            usec wait = allowance_wait(&a, i, windows[i], now);

            if (wait > 0) {
                now += wait;
                continue;
            }
            assert_int_equal(allowance_take(&a, i, windows[i], now), 0);
            traced += windows[i];
        }
        assert_true(traced <= day / ALLOWANCE_SHARE + ALLOWANCE_BURST + windows[i]);
        assert_true(traced >= day / ALLOWANCE_SHARE - windows[i]);
    }
}

/* Only who was captured lately is remembered. */
static void test_memory(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 10000; i++)
        take(allowance_id("job", "x") ^ (i * 7919), USEC_PER_SEC, START + (usec)i * USEC_PER_SEC);
    assert_true(a.cap <= 64); /* 20 of them are not full at any time */
    for (uint64_t i = 0; i < 1000; i++)
        take(i * 0x9e3779b97f4a7c15ULL, ALLOWANCE_BURST, 2 * START + USEC_PER_DAY);
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(
            allowance_wait(&a, i * 0x9e3779b97f4a7c15ULL, WINDOW, 2 * START + USEC_PER_DAY) > 0);
    for (size_t i = 1; i < a.n; i++)
        assert_true(a.buckets[i - 1].id < a.buckets[i].id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_burst_and_refill),
        TEST(test_each_its_own),
        TEST(test_longer_than_a_bucket),
        TEST(test_bound),
        TEST(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
