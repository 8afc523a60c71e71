/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/summary/outliers.h"

static struct outliers outliers;

static uint32_t add(enum summary_slow kind, int64_t since, int64_t duration)
{
    return outliers_add(&outliers, kind, &(struct outlier){.since = since, .duration = duration});
}

static int setup(void **state)
{
    (void)state;
    outliers_init(&outliers);
    return 0;
}

static void test_the_longest_stay(void **state)
{
    uint32_t order[SUMMARY_SLOWEST];

    (void)state;
    for (int64_t i = 0; i < 1000; i++)
        (void)add(SUMMARY_SLOW_TASKS, i, i * 37 % 1000);
    outliers_order(&outliers, SUMMARY_SLOW_TASKS, order);
    assert_int_equal(outliers.n[SUMMARY_SLOW_TASKS], SUMMARY_SLOWEST);
    for (int64_t i = 0; i < SUMMARY_SLOWEST; i++)
        assert_int_equal(outliers.lists[SUMMARY_SLOW_TASKS][order[i]].duration, 999 - i);
    assert_int_equal(outliers.n[SUMMARY_SLOW_RUNS], 0);
}

static void test_places(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SUMMARY_SLOWEST; i++) {
        assert_int_equal(outliers.floors[SUMMARY_SLOW_RUNS], 0);
        assert_int_equal(add(SUMMARY_SLOW_RUNS, 0, 100 - i), i);
    }
    assert_int_equal(outliers.floors[SUMMARY_SLOW_RUNS], 91);
    assert_int_equal(add(SUMMARY_SLOW_RUNS, 0, 91), OUTLIERS_NO_PLACE);
    assert_int_equal(add(SUMMARY_SLOW_RUNS, 0, 92), 9); /* the shortest's */
    assert_int_equal(outliers.floors[SUMMARY_SLOW_RUNS], 92);
    assert_int_equal(add(SUMMARY_SLOW_TASKS, 0, 0), OUTLIERS_NO_PLACE);
}

/* Of equal ones the first comes first. */
static void test_equal_ones(void **state)
{
    uint32_t order[SUMMARY_SLOWEST];

    (void)state;
    (void)add(SUMMARY_SLOW_REGIONS, 30, 5);
    (void)add(SUMMARY_SLOW_REGIONS, 10, 5);
    (void)add(SUMMARY_SLOW_REGIONS, 20, 7);
    outliers_order(&outliers, SUMMARY_SLOW_REGIONS, order);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 1);
    assert_int_equal(order[2], 0);
}

static void test_kinds_of_waits(void **state)
{
    static const struct {
        enum outliers_reason reason;
        enum stack_class class;
        enum summary_slow kind;
    } waits[] = {
        {OUTLIERS_SYNC, STACK_LOCK, SUMMARY_SLOW_LOCK},
        {OUTLIERS_SYNC, STACK_OTHER, SUMMARY_SLOW_CHANNEL},
        {OUTLIERS_SYNC, STACK_JOIN, SUMMARY_SLOW_CHANNEL},
        {OUTLIERS_SYNC, STACK_CALL, SUMMARY_SLOW_CALL},
        {OUTLIERS_SYNC, STACK_HANDLER, SUMMARY_SLOW_REQUEST},
        {OUTLIERS_SYNC, STACK_POOL, SUMMARY_SLOW_REQUEST},
        {OUTLIERS_APART, STACK_LIMIT, SUMMARY_N_SLOW},
        {OUTLIERS_SYNC, STACK_CONN, SUMMARY_SLOW_CALL},
        {OUTLIERS_NETWORK, STACK_CALL, SUMMARY_SLOW_CALL},
        {OUTLIERS_NETWORK, STACK_OTHER, SUMMARY_SLOW_NETWORK},
        {OUTLIERS_UNKNOWN, STACK_LOCK, SUMMARY_SLOW_LOCK},
        {OUTLIERS_UNKNOWN, STACK_OTHER, SUMMARY_SLOW_UNKNOWN},
        {OUTLIERS_APART, STACK_LOCK, SUMMARY_N_SLOW},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        assert_int_equal(outliers_kind(waits[i].reason, waits[i].class), waits[i].kind);
    for (unsigned reason = 0; reason < OUTLIERS_N_REASONS; reason++)
        for (unsigned class = 0; class < STACK_N_CLASSES; class++)
            if ((STACK_SET(class) & STACK_STANDING) || class == STACK_RUNTIME)
                assert_int_equal(outliers_kind(reason, class), SUMMARY_N_SLOW);
}

/* The floors of waits are those of their kinds. */
static void test_floors_of_waits(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= SUMMARY_SLOWEST; i++)
        (void)add(SUMMARY_SLOW_CALL, 0, 1000 * i);
    for (unsigned reason = 0; reason < OUTLIERS_N_REASONS; reason++) {
        for (unsigned class = 0; class < STACK_N_CLASSES; class++) {
            enum summary_slow kind = outliers_kind(reason, class);

            assert_int_equal(outliers.waits[reason][class], kind == SUMMARY_N_SLOW      ? INT64_MAX
                                                            : kind == SUMMARY_SLOW_CALL ? 1000
                                                                                        : 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_longest_stay, setup),
        cmocka_unit_test_setup(test_places, setup),
        cmocka_unit_test_setup(test_equal_ones, setup),
        cmocka_unit_test_setup(test_kinds_of_waits, setup),
        cmocka_unit_test_setup(test_floors_of_waits, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
