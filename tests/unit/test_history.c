/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/trigger/rule/history.h"

#define START (1000 * USEC_PER_HOUR)
#define MINUTE USEC_PER_MIN

static struct history h;

static int setup(void **state)
{
    (void)state;
    history_init(&h, USEC_PER_HOUR); /* so a slot is a minute */
    return 0;
}

/* The value of each of `n` minutes, from the first on. */
static void add_minutes(unsigned first, unsigned n, double value)
{
    for (unsigned i = first; i < first + n; i++)
        history_add(&h, value, START + i * MINUTE);
}

static double median(void)
{
    double value = -1;

    return history_median(&h, 1, &value) ? value : -1;
}

static double growth(void)
{
    double share = -1;

    return history_growth(&h, &share) ? share : -1;
}

static void test_empty(void **state)
{
    double value = 7;

    (void)state;
    assert_false(history_median(&h, 0, &value));
    assert_false(history_growth(&h, &value));
    assert_true(value == 7);
}

/* The minute that is not over yet may hold nothing but the moment that is judged. */
static void test_the_newest_does_not_count(void **state)
{
    (void)state;
    history_add(&h, 5, START);
    assert_true(median() == -1);
    history_add(&h, 900, START + MINUTE);
    assert_true(median() == 5);
    history_add(&h, 900, START + 2 * MINUTE);
    assert_true(median() == (5 + 900) / 2.0);
}

static void test_least(void **state)
{
    double value;

    (void)state;
    add_minutes(0, 10, 4);
    assert_false(history_median(&h, 10, &value)); /* nine are over */
    add_minutes(10, 1, 4);
    assert_true(history_median(&h, 10, &value));
    assert_true(value == 4);
}

/* Of a minute, the mean of its values, however many there are; a spike among them does not weigh more
 * than its minute. */
static void test_means(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        history_add(&h, 10 + i, START + i * 15 * USEC_PER_SEC);
    history_add(&h, 100, START + MINUTE);
    history_add(&h, 3, START + 2 * MINUTE);
    history_add(&h, 0, START + 3 * MINUTE);
    assert_true(median() == 11.5);
}

/* Half of the minutes may be as bad as they like. */
static void test_median(void **state)
{
    (void)state;
    add_minutes(0, 30, 2);
    add_minutes(30, 29, 1e9);
    add_minutes(59, 1, 0);
    assert_true(median() == 2);
}

static void test_an_hour(void **state)
{
    (void)state;
    add_minutes(0, 60, 8);
    add_minutes(60, 29, 80);
    assert_true(median() == 8);
    add_minutes(89, 2, 80); /* now 30 of the 59 that are over */
    assert_true(median() == 80);
    add_minutes(91, 200, 3);
    assert_true(median() == 3);
}

/* Minutes without a value have none. What is older than an hour is forgotten, and not read as new, also
 * when the time wraps around the slots. */
static void test_gaps(void **state)
{
    static const unsigned gaps[] = {2, 30, 58, 59, 60, 61, 119, 120, 121, 6000, 10000000};
    double value;

    (void)state;
    for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
        unsigned gap = gaps[i];

        setup(NULL);
        add_minutes(0, 1, 5);
        add_minutes(gap, 1, 70);
        assert_true(median() == (gap < 60 ? 5 : -1));
        assert_false(history_median(&h, 2, &value));
        add_minutes(gap + 1, 1, 70);
        assert_true(median() == (gap + 1 < 60 ? 75 / 2.0 : 70));
    }
}

static void test_growth(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 59; i++) {
        add_minutes(i, 1, 100 + i);
        assert_true(growth() == -1); /* no hour has passed */
    }
    add_minutes(59, 1, 159);
    /* From the median of 100 to 105 to that of 154 to 159. */
    assert_true(growth() > 0.5268 - 1e-3 && growth() < 0.5268 + 1e-3);
}

/* A service that fills up after its start, and is steady then, does not grow. */
static void test_steady_again(void **state)
{
    (void)state;
    add_minutes(0, 20, 100);
    add_minutes(20, 40, 200);
    assert_true(growth() == 0);
    setup(NULL);
    add_minutes(0, 45, 100);
    add_minutes(45, 15, 200);
    assert_true(growth() == 1);
    setup(NULL);
    add_minutes(0, 45, 200);
    add_minutes(45, 15, 100);
    assert_true(growth() == -0.5);
    setup(NULL);
    add_minutes(0, 45, 0);
    add_minutes(45, 15, 100);
    assert_true(growth() == -1); /* from nothing there is no share */
}

/* A span that is no multiple of the slots, or shorter than they are many. */
static void test_short_spans(void **state)
{
    double value;

    (void)state;
    history_init(&h, 10); /* a slot is a microsecond */
    for (usec t = 0; t < 100; t++)
        history_add(&h, (double)t, START + t);
    assert_true(history_median(&h, 59, &value));
    assert_true(value == 69); /* of 40 to 98 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty, setup),
        cmocka_unit_test_setup(test_the_newest_does_not_count, setup),
        cmocka_unit_test_setup(test_least, setup),
        cmocka_unit_test_setup(test_means, setup),
        cmocka_unit_test_setup(test_median, setup),
        cmocka_unit_test_setup(test_an_hour, setup),
        cmocka_unit_test_setup(test_gaps, setup),
        cmocka_unit_test_setup(test_growth, setup),
        cmocka_unit_test_setup(test_steady_again, setup),
        cmocka_unit_test_setup(test_short_spans, setup),
    };

    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
