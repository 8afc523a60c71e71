/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The next number of a line of the fixture, and its text. */
static double number(char **line, const char **ret_text)
{
    char *word = strsep(line, " \n");

    assert_non_null(word);
    if (ret_text)
        *ret_text = word;
    return strtod(word, NULL);
}

/* Of one line: the share is Prometheus's histogram_fraction above the edge, and is more than a limit
 * just if histogram_quantile at one less the limit lies above the edge. */
static void check_reference(char *line)
{
    double bound = number(&line, NULL), limit = number(&line, NULL);
    double edge, fraction, quantile, highest = 0;
    const char *les[BUCKETS_MAX];
    size_t n = (size_t)number(&line, NULL);
    _cleanup_free_ struct buckets *before = buckets_new(bound);
    _cleanup_free_ struct buckets *now = buckets_new(bound);
    struct buckets_share s;

    assert_true(before && now && n <= BUCKETS_MAX);
    for (size_t i = 0; i < n; i++) {
        double at = number(&line, &les[i]);

        highest = isfinite(at) ? at : highest;
    }
    for (size_t i = 0; i < n; i++)
        assert_true(buckets_add_le(before, les[i], number(&line, NULL)));
    for (size_t i = 0; i < n; i++)
        assert_true(buckets_add_le(now, les[i], number(&line, NULL)));
    edge = number(&line, NULL);
    fraction = number(&line, NULL);
    quantile = number(&line, NULL);
    assert_int_equal(buckets_share(before, now, 1, &s), BUCKETS_SHARE);
    assert_true(s.edge <= edge && s.edge >= edge);
    if (fabs(s.share - fraction) > 1e-9)
        fail_msg("above %g: %.12g, Prometheus says %.12g", edge, s.share, fraction);
    /* A quantile above all finite edges is told as the highest of them. */
    if (fabs(s.share - limit) > 1e-9 && edge < highest)
        assert_int_equal(s.share > limit, quantile > edge);
    else if (fabs(s.share - limit) > 1e-9 && s.share <= limit)
        assert_true(quantile <= edge);
}

/* tests/support/reference makes the fixture. */
static void test_against_prometheus(void **state)
{
    const char *dir = getenv("CONTRACE_SRC_DIR");
    _cleanup_fclose_ FILE *in = NULL;
    char path[PATH_MAX], line[4096];
    int n = 0;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tests/unit/fixtures/buckets.txt", dir ? dir : ".");
    in = fopen(path, "re");
    assert_non_null(in);
    for (; fgets(line, sizeof(line), in); n++)
        check_reference(line);
    assert_int_equal(n, 400);
}

/* Adds VictoriaMetrics's buckets of so many a decade, one observation each, from 10^-6 on. */
static struct buckets *ranges_of(double bound, int n, double count)
{
    const double step = 1.1364636663857248; /* the 18th root of 10 */
    struct buckets *b = buckets_new(bound);
    double from = 1e-6;
    char text[64];

    assert_non_null(b);
    for (int i = 0; i < n; i++, from *= step) {
        (void)snprintf(text, sizeof(text), "%.3e...%.3e", from, from * step);
        assert_true(buckets_add_range(b, text, count));
    }
    return b;
}

/* A bound within a range counts from the range's end; counts stay whatever gives way. */
static void test_ranges(void **state)
{
    static const int lengths[] = {72, BUCKETS_MAX, 120, 250};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        int n = lengths[i];
        _cleanup_free_ struct buckets *a = ranges_of(0.00105, n, 5);
        _cleanup_free_ struct buckets *b = ranges_of(0.00105, n, 7);
        struct buckets_share s;

        assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_SHARE);
        assert_true(fabs(s.edge - 1.136e-3) < 1e-12);
        assert_true(fabs(s.count - 2 * n) < 1e-9);
        assert_true(fabs(s.above - 2 * (n - 55)) < 1e-9);
        assert_int_equal(buckets_share(b, a, 1, &s), BUCKETS_RESET);
    }
}

/* The first observation of a range makes its line; one that goes is a service that began anew. */
static void test_ranges_come(void **state)
{
    _cleanup_free_ struct buckets *a = buckets_new(0.5), *b = buckets_new(0.5);
    struct buckets_share s;

    (void)state;
    assert_true(buckets_add_range(a, "1.000e-01...1.136e-01", 90));
    assert_true(buckets_add_range(b, "1.000e-01...1.136e-01", 180));
    assert_true(buckets_add_range(b, "1.000e+18...+Inf", 10));
    assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_SHARE);
    assert_true(fabs(s.share - 0.1) < 1e-12);
    assert_true(s.edge >= 0.5 && s.edge <= 0.5);
    assert_int_equal(buckets_share(b, a, 1, &s), BUCKETS_RESET);
    assert_false(buckets_add_range(b, "1.0...", 1));
    assert_false(buckets_add_range(b, "2...1", 1));
    assert_false(buckets_add_range(b, "1", 1));
}

/* Without +Inf `_count` tells how many there are; without both nobody does. */
static void test_total(void **state)
{
    _cleanup_free_ struct buckets *a = buckets_new(1), *b = buckets_new(1);
    struct buckets_share s;

    (void)state;
    assert_true(buckets_add_le(a, "1", 10) && buckets_add_le(b, "1", 19));
    assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_NO_TOTAL);
    buckets_add_total(a, 10);
    buckets_add_total(b, 20);
    assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_SHARE);
    assert_true(fabs(s.share - 0.1) < 1e-12);
}

/* Of more edges than there is room for, those at the bound stay, and +Inf. */
static void test_many_edges(void **state)
{
    _cleanup_free_ struct buckets *a = buckets_new(200), *b = buckets_new(200);
    struct buckets_share s;
    char le[16];

    (void)state;
    for (int i = 1; i <= 1000; i++) {
        (void)snprintf(le, sizeof(le), "%d", i);
        assert_true(buckets_add_le(a, le, i) && buckets_add_le(b, le, 3 * i));
    }
    assert_true(buckets_add_le(a, "+Inf", 1000) && buckets_add_le(b, "+Inf", 3000));
    assert_int_equal(b->n, BUCKETS_MAX);
    assert_int_equal(buckets_share(a, b, 1, &s), BUCKETS_SHARE);
    assert_true(fabs(s.share - 0.8) < 1e-12);
    assert_true(fabs(s.edge - 200) < 1e-9);
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
        cmocka_unit_test(test_against_prometheus),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ranges_come),
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_many_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
