/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/summary/mmu.h"

#define MAX_POINTS 400

static const int64_t windows[MMU_WINDOWS] = {10, 100, 1000};
static struct memory mem = {.max = SIZE_MAX};
static unsigned seed = 20261121;

struct curve {
    int64_t time[MAX_POINTS];
    double util[MAX_POINTS];
    size_t n;
    int64_t end;
};

static double area(const struct curve *c, int64_t from, int64_t to)
{
    double sum = 0;

    for (size_t i = 0; i < c->n; i++) {
        int64_t a = c->time[i], b = i + 1 < c->n ? c->time[i + 1] : c->end;

        a = a > from ? a : from;
        b = b < to ? b : to;
        if (b > a)
            sum += c->util[i] * (double)(b - a);
    }
    return sum;
}

/* All windows, at every nanosecond. */
static double by_hand(const struct curve *c, int64_t window)
{
    int64_t length = c->end - c->time[0];
    double least = 1;

    if (window > length)
        window = length;
    for (int64_t at = c->time[0]; at + window <= c->end; at++) {
        double mean = area(c, at, at + window) / (double)window;

        least = mean < least ? mean : least;
    }
    return least;
}

static void check(const struct curve *c, struct mmu *m)
{
    double got[MMU_WINDOWS], mean;

    assert_int_equal(mmu_finish(m, c->end, false, got, &mean), 0);
    for (size_t w = 0; w < MMU_WINDOWS; w++)
        assert_true(fabs(got[w] - by_hand(c, windows[w])) < 1e-9);
    assert_true(fabs(mean - area(c, c->time[0], c->end) / (double)(c->end - c->time[0])) < 1e-9);
    assert_false(m->inexact);
    mmu_done(m);
    assert_int_equal(mem.used, 0);
}

static void random_curve(struct curve *c)
{
    int64_t time = 1000000000000 + rand_r(&seed) % 100, step = 1 + rand_r(&seed) % 60;

    c->n = 1 + (size_t)rand_r(&seed) % 80;
    for (size_t i = 0; i < c->n; i++) {
        c->time[i] = time;
        c->util[i] = (1 + rand_r(&seed) % 8) / 8.0 * (rand_r(&seed) % 2);
        time += 1 + rand_r(&seed) % step;
    }
    c->end = time + rand_r(&seed) % 20;
}

static void test_random(void **state)
{
    (void)state;
    printf("seed %u\n", seed);
    for (int i = 0; i < 300; i++) {
        size_t released = (size_t)rand_r(&seed) % MAX_POINTS;
        struct curve c;
        struct mmu m;

        random_curve(&c);
        mmu_init(&m, &mem, windows);
        for (size_t k = 0; k < c.n; k++) {
            if (k == released)
                assert_int_equal(mmu_release(&m), 0);
            assert_int_equal(mmu_add(&m, c.time[k], c.util[k]), 0);
        }
        check(&c, &m);
    }
}

/* More changes than the ring had room for at first, of which only few are needed at once. */
static void test_long(void **state)
{
    double got[MMU_WINDOWS], mean;
    struct mmu m;

    (void)state;
    mmu_init(&m, &mem, windows);
    assert_int_equal(mmu_release(&m), 0);
    for (int64_t i = 0; i < 100000; i++)
        assert_int_equal(mmu_add(&m, 2 * i, i % 2 == 0 ? 1 : 0.5), 0);
    assert_true(m.ring_size <= 1024);
    assert_int_equal(mmu_finish(&m, 200000, true, got, &mean), 0);
    assert_true(fabs(got[0] - 0.7) < 1e-9);
    assert_true(fabs(got[2] - 0.75) < 1e-9);
    assert_false(m.inexact);
    mmu_done(&m);
}

/* What is told late: 1/GOMAXPROCS less everywhere before, never below 0. */
static void test_deduct(void **state)
{
    struct curve c = {{1000, 1100, 1200, 1300}, {0.5, 0, 1 - 1 / 3.0, 1}, 4, 5000};
    struct mmu m;

    (void)state;
    mmu_init(&m, &mem, windows);
    assert_int_equal(mmu_set_procs(&m, 1000, 2), 0);
    assert_int_equal(mmu_add(&m, 1000, 1), 0);
    assert_int_equal(mmu_add(&m, 1100, 0), 0);
    assert_int_equal(mmu_set_procs(&m, 1150, 3), 0);
    assert_int_equal(mmu_set_procs(&m, 1160, 3), 0);
    assert_int_equal(mmu_add(&m, 1200, 1), 0);
    mmu_deduct(&m);
    assert_int_equal(mmu_release(&m), 0);
    assert_int_equal(mmu_add(&m, 1300, 1), 0);
    check(&c, &m);
}

static void test_nothing(void **state)
{
    double got[MMU_WINDOWS], mean;
    struct mmu m;

    (void)state;
    mmu_init(&m, &mem, windows);
    assert_int_equal(mmu_finish(&m, 5, true, got, &mean), 0);
    assert_true(got[0] == -1 && mean == -1);
    mmu_done(&m);
    mmu_init(&m, &mem, windows);
    assert_int_equal(mmu_add(&m, 5, 1), 0);
    assert_int_equal(mmu_finish(&m, 5, true, got, &mean), 0);
    assert_true(got[0] == -1 && mean == -1);
    mmu_done(&m);
    assert_int_equal(mem.used, 0);
}

static void test_end(void **state)
{
    (void)state;
    for (int as_go = 0; as_go < 2; as_go++) {
        double got[MMU_WINDOWS], mean;
        struct mmu m;

        mmu_init(&m, &mem, windows);
        assert_int_equal(mmu_add(&m, 0, 1), 0);
        assert_int_equal(mmu_add(&m, 300, 0), 0);
        assert_int_equal(mmu_finish(&m, 400, as_go, got, &mean), 0);
        assert_true(fabs(mean - (as_go ? 1 : 0.75)) < 1e-9);
        assert_true(fabs(got[0] - (as_go ? 1 : 0)) < 1e-9);
        mmu_done(&m);
    }
}

/* More changes in a window than can be kept: it goes on and says that it is not exact. */
static void test_bounds(void **state)
{
    static const int64_t wide[MMU_WINDOWS] = {1, 2, 1 << 30};
    double got[MMU_WINDOWS], mean;
    struct mmu m;

    (void)state;
    mmu_init(&m, &mem, wide);
    for (int64_t i = 0; i < 2 * MMU_MAX_RECENT + 9; i++)
        assert_int_equal(mmu_add(&m, i, i % 2 == 0 ? 1 : 0.25), 0);
    assert_true(m.inexact && m.ring_size == MMU_MAX_RECENT && m.held == NULL);
    assert_int_equal(mmu_finish(&m, 2 * MMU_MAX_RECENT + 9, true, got, &mean), 0);
    assert_true(fabs(got[0] - 0.25) < 1e-9 && fabs(mean - 0.625) < 1e-4);
    mmu_done(&m);
    assert_int_equal(mem.used, 0);
}

/* Without room for more changes the oldest go, and the result says that it is not exact. */
static void test_memory_is_used_up(void **state)
{
    struct memory little = {.max = SIZE_MAX};
    double least[MMU_WINDOWS], mean;
    struct mmu m;

    (void)state;
    mmu_init(&m, &little, windows);
    assert_int_equal(mmu_set_procs(&m, 0, 1), 0);
    assert_int_equal(mmu_add(&m, 0, 1), 0);
    assert_int_equal(mmu_release(&m), 0);
    little.max = little.used;
    for (int i = 1; i < 2000; i++)
        assert_int_equal(mmu_add(&m, i, i % 2 == 0 ? 1 : 0.5), 0);
    assert_true(m.inexact);
    assert_int_equal(mmu_finish(&m, 2000, false, least, &mean), 0);
    assert_true(least[0] > 0.7 && least[0] < 0.8 && mean > 0.7 && mean < 0.8);
    mmu_done(&m);
    assert_int_equal(little.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_used_up),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_deduct),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_bounds),
    };
    const char *given = getenv("TEST_SEED");

    if (given)
        seed = (unsigned)strtoul(given, NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
