/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/label/growth.h"

#define START (UINT64_C(1790000000) * USEC_PER_SEC)
#define SITE 77

static struct growth growth;

/* A sample that was taken so many minutes after the start. */
static bool add(struct lane_growth *g, unsigned minute, uint64_t goroutines, uint64_t site)
{
    return growth_add(g,
                      &(struct growth_sample){.time = START + minute * USEC_PER_MIN,
                                              .pid = 5,
                                              .goroutines = goroutines,
                                              .site = site},
                      &growth);
}

static void test_grows(void **state)
{
    struct lane_growth g = {0};

    (void)state;
    assert_false(add(&g, 0, 9102, SITE));
    assert_false(add(&g, 5, 12000, SITE));
    assert_false(add(&g, 10, 15000, SITE));
    assert_true(add(&g, 15, 16312, SITE));
    assert_int_equal(growth.from, 9102);
    assert_int_equal(growth.to, 16312);
    assert_int_equal(growth.samples, 4);
    assert_int_equal(growth.over, 15 * USEC_PER_MIN);
    assert_true(growth.score > 0.5 && growth.score < 0.7);
    assert_true(add(&g, 20, 40000, 0)); /* this one's site is not known */
    assert_int_equal(growth.samples, 5);
    assert_true(growth.score > 0.999);
}

/* Half as many again, and 1000; within five minutes it may be a start. */
static void test_marks(void **state)
{
    struct lane_growth g = {0};

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        assert_false(add(&g, 5 * i, 4000 + i, SITE));
    assert_false(add(&g, 100, 5999, SITE));
    assert_true(add(&g, 101, 6000, SITE));

    g = (struct lane_growth){0};
    for (unsigned i = 0; i < 20; i++)
        assert_false(add(&g, 5 * i, 100 + i, SITE));
    assert_false(add(&g, 100, 1099, SITE));
    assert_true(add(&g, 101, 1100, SITE));

    g = (struct lane_growth){0};
    for (unsigned i = 0; i < 5; i++)
        assert_false(add(&g, i, 1000 + 10000 * i, SITE));
    assert_true(add(&g, 5, 99999, SITE));
}

/* A peak ends, a process is restarted, other goroutines are made: all begin anew. */
static void test_begins_anew(void **state)
{
    struct growth_sample other = {
        .time = START + 15 * USEC_PER_MIN, .pid = 6, .goroutines = 9000, .site = SITE};
    struct lane_growth g = {0};

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_false(add(&g, 5 * i, 1000 + 2000 * i, SITE));
    assert_false(growth_add(&g, &other, &growth));
    assert_int_equal(g.samples, 1);

    g = (struct lane_growth){0};
    for (unsigned i = 0; i < 3; i++)
        assert_false(add(&g, 5 * i, 1000 + 2000 * i, SITE));
    assert_false(add(&g, 15, 5000, SITE)); /* no more than before */
    assert_int_equal(g.samples, 1);

    g = (struct lane_growth){0};
    for (unsigned i = 0; i < 3; i++)
        assert_false(add(&g, 5 * i, 1000 + 2000 * i, SITE));
    assert_false(add(&g, 15, 9000, SITE + 1));
    assert_int_equal(g.samples, 1);
}

/* Of traces that wait to be inspected the newest is the first. */
static void test_older_sample(void **state)
{
    struct lane_growth g = {0};

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_false(add(&g, 5 * i, 1000 + 2000 * i, SITE));
    assert_false(add(&g, 7, 10, SITE));
    assert_int_equal(g.samples, 3);
    assert_true(add(&g, 15, 9000, SITE));
}

/* Nobody knows who makes them. */
static void test_no_site(void **state)
{
    struct lane_growth g = {0};

    (void)state;
    for (unsigned i = 0; i < 9; i++)
        assert_false(add(&g, 5 * i, 1000 + 2000 * i, 0));
    assert_true(add(&g, 50, 90000, SITE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),       cmocka_unit_test(test_marks),
        cmocka_unit_test(test_begins_anew), cmocka_unit_test(test_older_sample),
        cmocka_unit_test(test_no_site),
    };

    return cmocka_run_group_tests_name("growth", tests, NULL, NULL);
}
