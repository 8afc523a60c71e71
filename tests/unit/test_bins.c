/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "trace/timeline/bins.h"

static struct memory mem = {.max = SIZE_MAX};
static struct bins bins;

static int teardown(void **state)
{
    (void)state;
    bins_done(&bins);
    assert_int_equal(mem.used, 0);
    return 0;
}

static int64_t ns(size_t i, enum bins_share share)
{
    assert_true(i < bins.n);
    return bins.list[i].ns[share];
}

static void test_shares(void **state)
{
    (void)state;
    bins_init(&bins, &mem, 1000, INT64_MAX, 100, false);
    assert_int_equal(bins_add(&bins, BINS_RUNNING, 1010, 1050, 1), 0);  /* within one */
    assert_int_equal(bins_add(&bins, BINS_RUNNING, 1090, 1420, 2), 0);  /* over several */
    assert_int_equal(bins_add(&bins, BINS_RUNNING, 1300, 1400, -1), 0); /* is taken off again */
    assert_int_equal(bins_add(&bins, BINS_MARK, 0, 1001, 1), 0);        /* from before the start */
    assert_int_equal(bins_add(&bins, BINS_MARK, 1200, 1200, 1), 0);     /* nothing */
    assert_int_equal(bins_finish(&bins, 1450), 0);
    assert_int_equal(bins.n, 5);
    assert_int_equal(ns(0, BINS_RUNNING), 40 + 20);
    assert_int_equal(ns(1, BINS_RUNNING), 200);
    assert_int_equal(ns(2, BINS_RUNNING), 200);
    assert_int_equal(ns(3, BINS_RUNNING), 100);
    assert_int_equal(ns(4, BINS_RUNNING), 40);
    assert_int_equal(ns(0, BINS_MARK), 1);
    assert_int_equal(ns(1, BINS_MARK), 0);
    assert_int_equal(bins_sum(&bins, 1, 3).ns[BINS_RUNNING], 500);
    assert_int_equal(bins_sum(&bins, 4, 10).ns[BINS_RUNNING], 40);
}

static void test_levels(void **state)
{
    struct bin sum;

    (void)state;
    bins_init(&bins, &mem, 1000, INT64_MAX, 100, false);
    assert_int_equal(bins_set(&bins, BINS_HEAP, 900, 50), 0); /* holds from the start on */
    assert_int_equal(bins_set(&bins, BINS_HEAP, 950, 7), 0);
    assert_int_equal(bins_set(&bins, BINS_HEAP, 1110, 9), 0);
    assert_int_equal(bins_set(&bins, BINS_HEAP, 1120, 3), 0);
    assert_int_equal(bins_set(&bins, BINS_GOAL, 1310, 1), 0);
    assert_int_equal(bins_finish(&bins, 1500), 0);
    assert_int_equal(bins.n, 5);
    assert_int_equal(bins.list[0].most[BINS_HEAP], 7);
    assert_int_equal(bins.list[1].most[BINS_HEAP], 9);
    assert_int_equal(bins.list[1].last[BINS_HEAP], 3);
    assert_int_equal(bins.list[2].most[BINS_HEAP], 3);
    assert_int_equal(bins.list[4].last[BINS_HEAP], 3);
    assert_false(bins.list[2].told & 1u << BINS_GOAL);
    assert_true(bins.list[4].told & 1u << BINS_GOAL);
    sum = bins_sum(&bins, 0, 5);
    assert_int_equal(sum.most[BINS_HEAP], 9);
    assert_int_equal(sum.last[BINS_HEAP], 3);
    assert_int_equal(sum.last[BINS_GOAL], 1);
}

/* Nothing counts beyond the end of the part. */
static void test_end(void **state)
{
    (void)state;
    bins_init(&bins, &mem, 1000, 1250, 100, false);
    assert_int_equal(bins_add(&bins, BINS_RUNNING, 0, 5000, 1), 0);
    assert_int_equal(bins_set(&bins, BINS_HEAP, 1300, 9), 0);
    assert_int_equal(bins_finish(&bins, 5000), 0);
    assert_int_equal(bins.n, 3);
    assert_int_equal(ns(2, BINS_RUNNING), 50);
    assert_false(bins.list[2].told);
}

/* 1, 5, 10, 50, …: as long as it takes for all to have a place. */
static void test_widen(void **state)
{
    int64_t sum = 0, last = (int64_t)BINS_MAX * 10000 - 1;
    const int64_t steps[] = {1000, 5000, 10000};

    (void)state;
    bins_init(&bins, &mem, 0, INT64_MAX, 1000, true);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bins_add(&bins, BINS_RUNNING, 500, steps[i] * BINS_MAX - 1, 1), 0);
        assert_int_equal(bins.step, steps[i]);
        sum += steps[i] * BINS_MAX - 1 - 500;
    }
    assert_int_equal(bins_set(&bins, BINS_HEAP, last, 4), 0);
    assert_int_equal(bins_finish(&bins, last + 1), 0);
    assert_int_equal(bins_sum(&bins, 0, BINS_MAX).ns[BINS_RUNNING], sum);
    assert_int_equal(ns(0, BINS_RUNNING), 3 * (10000 - 500));
    bins_done(&bins);

    bins_init(&bins, &mem, 0, INT64_MAX, 1000, false);
    assert_int_equal(bins_add(&bins, BINS_RUNNING, 0, last, 1), -E2BIG);
}

/* Any intervals: each bin has what a loop over all nanoseconds counts. */
static void test_any(void **state)
{
    int64_t counted[40] = {0};
    unsigned seed = 20261201;

    (void)state;
    print_message("seed %u\n", seed);
    bins_init(&bins, &mem, 100, INT64_MAX, 13, false);
    for (unsigned i = 0; i < 300; i++) {
        int64_t from = rand_r(&seed) % 500, to = from + rand_r(&seed) % 120;

        assert_int_equal(bins_add(&bins, BINS_SYNC, from, to, 1), 0);
        for (int64_t at = from > 100 ? from : 100; at < to; at++)
            if ((at - 100) / 13 < 40)
                counted[(at - 100) / 13]++;
    }
    assert_int_equal(bins_finish(&bins, 100 + 13 * 40), 0);
    for (size_t i = 0; i < bins.n; i++)
        assert_int_equal(ns(i, BINS_SYNC), counted[i]);
}

static void test_memory(void **state)
{
    struct memory small = {.max = 10 * sizeof(struct bin)};

    (void)state;
    bins_init(&bins, &small, 0, INT64_MAX, 100, false);
    assert_int_equal(bins_add(&bins, BINS_RUNNING, 0, 100000, 1), -E2BIG);
    assert_int_equal(bins_set(&bins, BINS_HEAP, 100, 1), 0);
    bins_done(&bins);
    assert_int_equal(small.used, 0);
    bins_init(&bins, &mem, 0, INT64_MAX, 100, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_shares, teardown),
        cmocka_unit_test_teardown(test_levels, teardown),
        cmocka_unit_test_teardown(test_end, teardown),
        cmocka_unit_test_teardown(test_widen, teardown),
        cmocka_unit_test_teardown(test_any, teardown),
        cmocka_unit_test_teardown(test_memory, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
