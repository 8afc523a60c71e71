/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/order/budget.h"

#define START (1000 * USEC_PER_SEC)
#define SECOND USEC_PER_SEC

static const struct budget_limits usual = {.incidents = 6, .of_target = 2, .traced = 0.02};

static struct budget b;

static int setup(void **state)
{
    (void)state;
    budget_init(&b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    budget_done(&b);
    return 0;
}

static void expect(uint64_t target, usec traced, usec now, enum budget_answer answer, usec wait)
{
    usec found = 7;

    assert_int_equal(budget_ask(&b, &usual, target, traced, now, &found), answer);
    assert_int_equal(found, wait);
}

static void take(uint64_t target, usec traced, usec now)
{
    assert_int_equal(budget_take(&b, target, traced, now), 0);
}

static void test_so_many_of_a_target(void **state)
{
    (void)state;
    expect(1, 2 * SECOND, START, BUDGET_FREE, 0);
    take(1, 2 * SECOND, START);
    expect(1, 2 * SECOND, START + 1, BUDGET_FREE, 0);
    take(1, 2 * SECOND, START + 10 * SECOND);
    expect(1, 2 * SECOND, START + 11 * SECOND, BUDGET_OF_TARGET, BUDGET_SPAN - 11 * SECOND);
    expect(2, 2 * SECOND, START + 11 * SECOND, BUDGET_FREE, 0);
    /* The hour is that since the first. */
    expect(1, 2 * SECOND, START + BUDGET_SPAN - 1, BUDGET_OF_TARGET, 1);
    expect(1, 2 * SECOND, START + BUDGET_SPAN, BUDGET_FREE, 0);
}

static void test_so_many_of_all(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 6; i++) {
        expect(i, SECOND, START + i * SECOND, BUDGET_FREE, 0);
        take(i, SECOND, START + i * SECOND);
    }
    expect(9, SECOND, START + 6 * SECOND, BUDGET_OF_ALL, BUDGET_SPAN - 6 * SECOND);
    expect(9, SECOND, START + BUDGET_SPAN, BUDGET_FREE, 0);
    take(9, SECOND, START + BUDGET_SPAN);
    expect(8, SECOND, START + BUDGET_SPAN, BUDGET_OF_ALL, SECOND);
}

/* Two percent of an hour are 72 seconds. */
static void test_so_long(void **state)
{
    (void)state;
    take(1, 40 * SECOND, START);
    expect(1, 32 * SECOND, START + SECOND, BUDGET_FREE, 0);
    expect(1, 33 * SECOND, START + SECOND, BUDGET_TRACED, BUDGET_SPAN - SECOND);
    expect(2, 33 * SECOND, START + SECOND, BUDGET_FREE, 0);
    /* What traces nothing is bounded by its number alone. */
    expect(1, 0, START + SECOND, BUDGET_FREE, 0);
    take(1, 0, START + SECOND);
}

/* A job whose traces are longer than that share of an hour has its incident all the same, but the
 * next only when the hour is over. */
static void test_longer_than_the_share(void **state)
{
    (void)state;
    expect(1, 100 * SECOND, START, BUDGET_FREE, 0);
    take(1, 100 * SECOND, START);
    expect(1, 1, START + 60 * SECOND, BUDGET_TRACED, BUDGET_SPAN - 60 * SECOND);
    expect(1, 100 * SECOND, START + BUDGET_SPAN, BUDGET_FREE, 0);
}

/* What is over takes no memory. */
static void test_forgets(void **state)
{
    (void)state;
    for (usec i = 0; i < 1000; i++)
        take(i % 3, SECOND, START + i * BUDGET_SPAN / 4);
    assert_true(b.n <= 5 && b.cap <= 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_so_many_of_a_target, setup, teardown),
        cmocka_unit_test_setup_teardown(test_so_many_of_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_so_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longer_than_the_share, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forgets, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
