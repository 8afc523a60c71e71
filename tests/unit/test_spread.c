/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/compare/spread.h"

#define LEAST 1e-6
#define TRIALS 20000

/* Splitmix64: the same numbers everywhere. */
static uint64_t seed = 20261201;

static double uniform(void)
{
    uint64_t z = (seed += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * 3.14159265358979 * uniform());
}

static double bell(void)
{
    return 100 + 10 * normal();
}

static double lognormal(void)
{
    return exp(normal());
}

static double pareto(void)
{
    return pow(uniform(), -1 / 1.5); /* no variance */
}

static double bimodal(void)
{
    return exp((uniform() < 0.5 ? 0 : 3) + 0.1 * normal());
}

/* How often two samples, of which the second is `times` the first, are told to differ. */
static double alarms(double (*draw)(void), size_t n, size_t m, double times)
{
    unsigned moved = 0;

    for (unsigned t = 0; t < TRIALS; t++) {
        double a[32], b[32];

        for (size_t i = 0; i < n; i++)
            a[i] = draw();
        for (size_t i = 0; i < m; i++)
            b[i] = times * draw();
        moved += spread_judge(a, n, b, m, LEAST).moved;
    }
    return (double)moved / TRIALS;
}

/* The rates that docs/DIFF.md names. */
static void test_false_alarms(void **state)
{
    static const struct {
        const char *name;
        double (*draw)(void);
        double most; /* with 3 and 3 */
    } rows[] = {
        {"normal", bell, 0.012},
        {"lognormal", lognormal, 0.012},
        {"Pareto", pareto, 0.012},
        {"two heaps", bimodal, 0.04},
    };
    static const size_t sizes[][2] = {{3, 3}, {3, 4}, {4, 4}, {5, 5}, {3, 9}, {10, 10}, {25, 25}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        printf("%-10s", rows[i].name);
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            double rate = alarms(rows[i].draw, sizes[k][0], sizes[k][1], 1);
            double most = k == 0 ? rows[i].most : k == 1 ? 0.02 : 0.012;

            printf("  %zu/%zu %.2f%%", sizes[k][0], sizes[k][1], rate * 100);
            if (rate > most)
                fail_msg("%s, %zu and %zu: %g", rows[i].name, sizes[k][0], sizes[k][1], rate);
        }
        printf("\n");
    }
}

static double narrow(void)
{
    return exp(0.3 * normal());
}

/* What differs by far is seen, with three already. */
static void test_power(void **state)
{
    double three = alarms(narrow, 3, 3, 10), five = alarms(narrow, 5, 5, 3);

    (void)state;
    printf("x10 with 3/3: %.1f%%; x3 with 5/5: %.1f%%; x2 with 10/10: %.1f%%\n", three * 100,
           five * 100, 100 * alarms(narrow, 10, 10, 2));
    assert_true(three > 0.95);
    assert_true(five > 0.9);
}

static struct spread judge(const double *a, size_t n, const double *b, size_t m, double least)
{
    double x[32], y[32];

    for (size_t i = 0; i < n; i++)
        x[i] = a[i];
    for (size_t i = 0; i < m; i++)
        y[i] = b[i];
    return spread_judge(x, n, y, m, least);
}

static void test_rules(void **state)
{
    static const double low[] = {12, 10, 11}, high[] = {41, 44, 40}, near[] = {13, 14, 15};
    static const double same[] = {5, 5, 5, 5, 5}, up[] = {6, 6, 6, 6, 6};
    struct spread s = judge(low, 3, high, 3, 1);

    (void)state;
    assert_true(s.known && s.moved && s.ratio > 3.7 && s.ratio < 3.8);
    assert_true(s.before.median == 11 && s.before.min == 10 && s.before.max == 12);
    assert_true(judge(high, 3, low, 3, 1).moved);
    assert_false(judge(low, 3, near, 3, 1).moved); /* apart, but by less than they spread */
    assert_false(judge(low, 3, low, 3, 1).moved);
    assert_false(judge(low, 3, high, 3, 100).moved); /* less than the least */
    assert_true(judge(same, 5, up, 5, 0.5).moved);
    assert_false(judge(same, 5, same, 5, 0.5).moved);
    s = judge(low, 1, high, 1, 1);
    assert_true(!s.known && s.moved);
    assert_false(judge(low, 1, near, 1, 1).moved); /* no factor of 2 */
    assert_true(judge(low, 2, high, 3, 1).moved);
}

/* What is below the least is as the least: no ratio of nothing to next to nothing. */
static void test_from_nothing(void **state)
{
    static const double none[] = {0, 0, 0}, little[] = {0.5, 0.6, 0.7}, much[] = {80, 90, 100};
    struct spread s = judge(none, 3, little, 3, 1);

    (void)state;
    assert_true(!s.moved && s.ratio == 1);
    s = judge(none, 3, much, 3, 1);
    assert_true(s.moved && s.ratio == 90);
    s = judge(much, 3, none, 3, 1);
    assert_true(s.moved && s.ratio > 0.01 && s.ratio < 0.02);
}

/* Tables of Mann and Whitney: 3 and 3 samples have 20 orders, 5 and 5 have 252. */
static void test_chance(void **state)
{
    (void)state;
    assert_true(fabs(spread_chance(3, 3, 0) - 1.0 / 20) < 1e-12);
    assert_true(fabs(spread_chance(3, 3, 9) - 1) < 1e-12);
    assert_true(fabs(spread_chance(3, 3, 2) - 4.0 / 20) < 1e-12);
    assert_true(fabs(spread_chance(5, 5, 0) - 1.0 / 252) < 1e-12);
    assert_true(fabs(spread_chance(5, 5, 2) - 4.0 / 252) < 1e-12);
    assert_true(fabs(spread_chance(20, 20, 199) + spread_chance(20, 20, 200) - 1) < 1e-9);
    /* Beyond what is exact, the approximation goes on where the exact one ended. */
    assert_true(fabs(spread_chance(21, 20, 110) - spread_chance(20, 20, 105)) < 0.002);
    assert_true(spread_chance(1000, 1000, 0) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),        cmocka_unit_test(test_from_nothing),
        cmocka_unit_test(test_chance),       cmocka_unit_test(test_power),
        cmocka_unit_test(test_false_alarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
