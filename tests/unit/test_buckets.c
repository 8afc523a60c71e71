/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "daemon/trigger/rule/buckets.h"

static const double edges[] = {0.005, 0.01, 0.1, 1};
static const char *const names[] = {"0.005", "0.01", "0.1", "1", "+Inf"};

/* A read: observations up to each edge, as a service has them, and in all. */
static struct buckets *read_of(double bound, const double counts[5])
{
    struct buckets *b = buckets_new(bound);

    assert_non_null(b);
    for (int i = 0; i < 5; i++)
        assert_true(buckets_add_le(b, names[i], counts[i]));
    buckets_add_total(b, counts[4]);
    return b;
}

/* The share is one of observations between two reads; not of buckets, and not since the start. */
static void test_two_reads(void **state)
{
    const double before[] = {1000, 1000, 1000, 1000, 1000}, now[] = {1050, 1090, 1097, 1099, 1100};
    _cleanup_free_ struct buckets *a = read_of(0.01, before);
    _cleanup_free_ struct buckets *b = read_of(0.01, now);
    struct buckets_share s;

    (void)state;
    assert_int_equal(buckets_share(a, b, 100, &s), BUCKETS_SHARE);
    assert_true(s.count == 100 && s.above == 10);
    assert_true(fabs(s.share - 0.1) < 1e-9);
    assert_true(s.edge == 0.01);
    assert_int_equal(buckets_share(a, b, 101, &s), BUCKETS_FEW);
    assert_int_equal(buckets_share(b, b, 0, &s), BUCKETS_FEW); /* of none there is no share */
}

/* A bound between two edges counts from the one above: never too much. */
static void test_bounds(void **state)
{
    const double before[5] = {0}, now[] = {50, 90, 97, 99, 100};
    static const struct {
        double bound, edge, above;
    } cases[] = {{0.005, 0.005, 50}, {0.006, 0.01, 10}, {0.01, 0.01, 10},
                 {0.02, 0.1, 3},     {0.5, 1, 1},       {1, 1, 1}};
    struct buckets_share s;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        _cleanup_free_ struct buckets *a = read_of(cases[i].bound, before);
        _cleanup_free_ struct buckets *b = read_of(cases[i].bound, now);

        assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_SHARE);
        assert_true(s.edge == cases[i].edge);
        assert_true(s.above == cases[i].above);
    }
    {
        _cleanup_free_ struct buckets *a = read_of(2, before);
        _cleanup_free_ struct buckets *b = read_of(2, now);

        assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_NO_EDGE);
    }
}

static void test_a_service_that_began_anew(void **state)
{
    const double before[] = {500, 900, 970, 990, 1000}, now[] = {50, 90, 97, 99, 100};
    _cleanup_free_ struct buckets *a = read_of(0.01, before);
    _cleanup_free_ struct buckets *b = read_of(0.01, now);
    struct buckets_share s;

    (void)state;
    assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_RESET);
}

static void test_other_edges(void **state)
{
    const double counts[] = {50, 90, 97, 99, 100};
    _cleanup_free_ struct buckets *a = read_of(0.02, counts);
    _cleanup_free_ struct buckets *b = buckets_new(0.02);
    _cleanup_free_ struct buckets *none = buckets_new(0.02);
    struct buckets_share s;

    (void)state;
    assert_true(buckets_add_le(b, "0.05", 60));
    assert_true(buckets_add_le(b, "+Inf", 200));
    buckets_add_total(b, 200);
    assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_CHANGED);
    assert_int_equal(buckets_share(none, none, 1, &s), BUCKETS_ABSENT);
    assert_false(buckets_add_le(none, "wide", 1));
}

static void test_numbers_that_are_none(void **state)
{
    static const double bad[] = {NAN, INFINITY, -1};
    const double counts[] = {50, 90, 97, 99, 100};
    struct buckets_share s;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        _cleanup_free_ struct buckets *a = read_of(0.01, counts);
        _cleanup_free_ struct buckets *b = read_of(0.01, counts);

        (void)buckets_add_le(b, "0.1", bad[i]);
        assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_BAD);
    }
}

/* Random observations: the same as counting them one by one. */
static void test_against_counting(void **state)
{
    unsigned seed = (unsigned)time(NULL);

    (void)state;
    print_message("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 500; round++) {
        double before[5] = {0}, now[5] = {0}, above = 0;
        size_t edge = (size_t)rand() % 4;
        int old = rand() % 1000, fresh = 1 + rand() % 1000;
        struct buckets_share s;

        for (int i = 0; i < old + fresh; i++) {
            double value = 2.0 / (1 + rand() % 1000);

            for (size_t k = 0; k < 5; k++) {
                bool within = k == 4 || value <= edges[k];

                now[k] += within;
                before[k] += within && i < old;
            }
            above += i >= old && value > edges[edge];
        }
        {
            _cleanup_free_ struct buckets *a = read_of(edges[edge], before);
            _cleanup_free_ struct buckets *b = read_of(edges[edge], now);

            assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_SHARE);
        }
        assert_true(s.count == fresh && s.above == above);
        assert_true(fabs(s.share - above / fresh) < 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_reads),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_a_service_that_began_anew),
        cmocka_unit_test(test_other_edges),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_against_counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
