/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/profile/spans.h"

#define HORIZON 200
#define ROUNDS 2000

static struct memory mem;
static struct spans spans;

static int setup(void **state)
{
    (void)state;
    mem = (struct memory){.max = SIZE_MAX};
    spans_init(&spans, &mem, 0x9e3779b97f4a7c15U);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    spans_done(&spans);
    assert_int_equal(mem.used, 0);
    return 0;
}

static void add(int64_t g, int64_t start, int64_t end)
{
    assert_int_equal(spans_add(&spans, g, start, end), 0);
}

static int64_t cover(int64_t g, int64_t start, int64_t end)
{
    int64_t ns;

    assert_true(spans_cover(&spans, g, start, end, &ns));
    return ns;
}

static void test_none(void **state)
{
    int64_t ns = 5;

    (void)state;
    assert_int_equal(spans_seal(&spans), 0);
    assert_false(spans_cover(&spans, 1, 0, 100, &ns));
    assert_int_equal(ns, 0);
}

static void test_parts(void **state)
{
    int64_t ns;

    (void)state;
    add(7, 100, 200);
    add(1, 0, 1000);
    add(7, 300, 400);
    assert_int_equal(spans_seal(&spans), 0);
    assert_int_equal(cover(7, 0, 1000), 200);
    assert_int_equal(cover(7, 100, 200), 100);
    assert_int_equal(cover(7, 150, 350), 100);
    assert_int_equal(cover(7, 200, 300), 0);
    assert_int_equal(cover(7, 0, 100), 0);
    assert_int_equal(cover(7, 400, 500), 0);
    assert_int_equal(cover(7, 120, 130), 10);
    assert_int_equal(cover(1, 120, 130), 10);
    assert_false(spans_cover(&spans, 2, 0, 1000, &ns));
}

/* Of what overlaps the first to begin counts, then the shortest; what touches does not overlap. */
static void test_outermost(void **state)
{
    (void)state;
    add(1, 100, 200);
    add(1, 120, 130);
    add(1, 150, 300);
    add(1, 200, 210);
    add(2, 0, 500);
    add(2, 0, 100);
    add(2, 50, 120);
    add(2, 100, 110);
    assert_int_equal(spans_seal(&spans), 0);
    assert_int_equal(cover(1, 0, 1000), 110);
    assert_int_equal(cover(2, 0, 1000), 110);
}

static void test_greatest_numbers(void **state)
{
    (void)state;
    add(1, INT64_MIN, INT64_MAX);
    add(INT64_MAX, INT64_MIN, -1);
    add(INT64_MAX, 0, INT64_MAX);
    assert_int_equal(spans_seal(&spans), 0);
    assert_int_equal(cover(1, INT64_MIN, INT64_MAX), INT64_MAX);
    assert_int_equal(cover(1, -5, 5), 10);
    assert_int_equal(cover(INT64_MAX, INT64_MIN, INT64_MAX), INT64_MAX);
    assert_int_equal(cover(INT64_MAX, -3, 3), 5);
}

static void test_bound(void **state)
{
    int r = 0;

    (void)state;
    mem.max = 10000;
    for (unsigned i = 0; i < 10000 && r == 0; i++)
        r = spans_add(&spans, 1, i, i + 1);
    assert_int_equal(r, -E2BIG);
    assert_true(mem.used <= mem.max);
}

/* Against an array of nanoseconds. */
static void test_against_array(void **state)
{
    const char *given = getenv("TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261121;

    printf("TEST_SEED=%u\n", seed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool covered[HORIZON] = {false};
        int64_t at = 0;

        while (at < HORIZON) {
            int64_t start = at + rand_r(&seed) % 20, end = start + 1 + rand_r(&seed) % 20;

            for (int64_t i = start; i < end && i < HORIZON; i++)
                covered[i] = true;
            add(3, start, end);
            add(3, start, end + 3);
            add(2, start - 1, end + 7);
            add(4, start, end);
            at = end;
        }
        assert_int_equal(spans_seal(&spans), 0);
        for (unsigned i = 0; i < 20; i++) {
            int64_t start = rand_r(&seed) % HORIZON, end = start + rand_r(&seed) % 60;
            int64_t expected = 0;

            end = end < HORIZON ? end : HORIZON;
            for (int64_t j = start; j < end; j++)
                expected += covered[j];
            assert_int_equal(cover(3, start, end), expected);
        }
        teardown(state);
        setup(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outermost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_greatest_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(test_against_array, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
