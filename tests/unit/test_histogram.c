/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/summary/histogram.h"

static const unsigned permille[] = {1, 500, 900, 990, 999, 1000};
#define N_RANKS (sizeof(permille) / sizeof(permille[0]))

static struct memory mem = {.max = SIZE_MAX};
static unsigned seed = 20261121;

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Any size of number, and some again and again. */
static int64_t any(void)
{
    int64_t r = ((int64_t)rand_r(&seed) << 31) ^ rand_r(&seed);

    return rand_r(&seed) % 4 == 0 ? r % 7 : r >> (rand_r(&seed) % 62);
}

static void check(size_t n, size_t max_kept)
{
    int64_t *values = malloc(n * sizeof(*values)), got[N_RANKS], total = 0;
    struct histogram h;

    histogram_init(&h, &mem, max_kept);
    for (size_t i = 0; i < n; i++) {
        values[i] = any();
        total += values[i] >> 20;
        assert_int_equal(histogram_add(&h, values[i] >> 20), 0);
        values[i] >>= 20;
    }
    qsort(values, n, sizeof(*values), by_value);
    histogram_percentiles(&h, permille, got, N_RANKS);
    assert_int_equal(h.count, n);
    assert_int_equal(h.total, total);
    assert_int_equal(h.max, values[n - 1]);
    for (size_t i = 0; i < N_RANKS; i++) {
        int64_t right = values[(n * permille[i] + 999) / 1000 - 1];

        if (n <= max_kept)
            assert_int_equal(got[i], right);
        else
            assert_true(llabs(got[i] - right) * 250 <= right);
    }
    assert_true((n > max_kept) == (h.buckets != NULL));
    histogram_done(&h);
    assert_int_equal(mem.used, 0);
    free(values);
}

static void test_exact(void **state)
{
    (void)state;
    printf("seed %u\n", seed);
    for (size_t n = 1; n < 60; n++)
        check(n, 4096);
    check(999, 4096);
    check(1000, 4096);
    check(1001, 4096);
    check(4096, 4096);
    check(100000, 1U << 20);
}

static void test_counted(void **state)
{
    (void)state;
    check(4097, 4096);
    check(50000, 4096);
    check(20, 16);
    check(50000, 40000);
}

static void test_empty(void **state)
{
    int64_t got[N_RANKS];
    struct histogram h;

    (void)state;
    histogram_init(&h, &mem, 10);
    histogram_percentiles(&h, permille, got, N_RANKS);
    for (size_t i = 0; i < N_RANKS; i++)
        assert_int_equal(got[i], 0);
    assert_int_equal(histogram_add(&h, -5), 0);
    assert_int_equal(h.max, 0);
    histogram_done(&h);
}

/* Values on both sides of a limit: kept in four bytes or eight, and in buckets. */
static void above(size_t max_kept)
{
    struct histogram h;

    histogram_init(&h, &mem, max_kept);
    for (int64_t i = 0; i < 1000; i++)
        assert_int_equal(histogram_add(&h, i < 900   ? 1000
                                           : i < 990 ? 20000000
                                                     : INT64_C(1) << 40),
                         0);
    assert_true((max_kept < 1000) == (h.buckets != NULL));
    assert_int_equal(histogram_above(&h, 1000000), 100);
    assert_int_equal(histogram_above(&h, 10000000), 100);
    assert_int_equal(histogram_above(&h, 100000000), 10);
    assert_int_equal(histogram_above(&h, 0), 1000);
    assert_int_equal(histogram_above(&h, INT64_MAX), 0);
    histogram_done(&h);
}

static void test_above(void **state)
{
    (void)state;
    above(4096);
    above(16);
}

/* Each value's bucket is that of its middle, buckets rise with values, and none is too wide. */
static void test_buckets(void **state)
{
    size_t last = 0;

    (void)state;
    for (int64_t v = 0; v < 100000; v++) {
        size_t b = histogram_bucket(v);

        assert_true(b == last || b == last + 1);
        assert_int_equal(histogram_bucket(histogram_middle(b)), b);
        assert_true(llabs(histogram_middle(b) - v) * 256 <= v);
        last = b;
    }
    assert_true(histogram_bucket(INT64_MAX) < HISTOGRAM_BUCKETS);
    assert_true(histogram_middle(histogram_bucket(INT64_MAX)) > INT64_MAX - (INT64_MAX >> 7));
}

/* Without room it is an error, and what was there stays. */
static void test_memory(void **state)
{
    struct memory little = {.max = 4096};
    struct histogram h;
    int r = 0;

    (void)state;
    histogram_init(&h, &little, 1U << 20);
    for (int i = 0; i < 10000 && r == 0; i++)
        r = histogram_add(&h, i);
    assert_int_equal(r, -E2BIG);
    assert_int_equal(h.count, 1024);
    assert_int_equal(h.max, 1023);
    histogram_done(&h);
    assert_int_equal(little.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),  cmocka_unit_test(test_counted),
        cmocka_unit_test(test_empty),  cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_above),
    };
    const char *given = getenv("TEST_SEED");

    if (given)
        seed = (unsigned)strtoul(given, NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
