/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/jsontext.h"
#include "cli/explain/usual.h"

static size_t number_of(const char *path)
{
    for (size_t i = 0; i < USUAL_NUMBERS; i++)
        if (strcmp(usual_numbers[i].path, path) == 0)
            return i;
    fail_msg("no number %s", path);
    return 0;
}

static struct usual_values read_text(const char *text)
{
    struct usual_values v;
    json_t *json;

    assert_int_equal(jsontext_parse(text, strlen(text), 0, NULL, &json), 0);
    usual_read(json, &v);
    json_decref(json);
    return v;
}

static double value(const char *text, const char *path)
{
    struct usual_values v = read_text(text);

    return v.values[number_of(path)];
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < USUAL_NUMBERS; i++) {
        assert_non_null(usual_numbers[i].path);
        assert_true(usual_numbers[i].noise > 0);
        assert_int_equal(number_of(usual_numbers[i].path), i);
        assert_true(strlen(usual_numbers[i].words) <= 36);
    }
}

static void test_read(void **state)
{
    (void)state;
    assert_true(value("{\"scheduler\":{\"latency\":{\"p99_ns\":7}}}", "scheduler.latency.p99_ns") ==
                7);
    assert_true(value("{\"window_ns\":2000000000,\"syscalls\":{\"count\":10}}", "syscalls.count") ==
                5);
    assert_true(value("{\"window_ns\":2000000000,\"silences\":{\"total_ns\":500000000}}",
                      "silences.total_ns") == 0.25);
    assert_true(value("{\"outliers\":{\"tasks\":[{\"duration_ns\":9},{\"duration_ns\":3}]}}",
                      "outliers.tasks.0.duration_ns") == 9);
    /* No outlier of a kind is 0, but only where outliers were kept. */
    assert_true(value("{\"outliers\":{}}", "outliers.tasks.0.duration_ns") == 0);
    assert_true(isnan(value("{}", "outliers.tasks.0.duration_ns")));
}

static void test_nonsense_is_not_known(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"syscalls\":7}",
        "{\"syscalls\":{\"count\":\"many\"},\"window_ns\":5}",
        "{\"syscalls\":{\"count\":5}}",
        "{\"syscalls\":{\"count\":5},\"window_ns\":0}",
        "{\"syscalls\":{\"count\":-5},\"window_ns\":9}",
        "{\"syscalls\":[1,2],\"window_ns\":9}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_true(isnan(value(texts[i], "syscalls.count")));
}

static void test_median(void **state)
{
    double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 2}, one[] = {7};

    (void)state;
    assert_true(usual_median(odd, 3) == 5);
    assert_true(usual_median(even, 4) == 2);
    assert_true(usual_median(one, 1) == 7);
    assert_true(isnan(usual_median(one, 0)));
}

/* All that is not known but for one number. */
static struct usual_values only(const char *path, double value)
{
    struct usual_values v;

    for (size_t i = 0; i < USUAL_NUMBERS; i++)
        v.values[i] = NAN;
    v.values[number_of(path)] = value;
    return v;
}

static void test_what_moved(void **state)
{
    static const double usual[] = {3e5, 2e5, 4e5, 3e5, 3.5e5};
    struct usual_values earlier[5], now = only("scheduler.latency.p99_ns", 41e6);
    struct usual_move moves[USUAL_MOVES];

    (void)state;
    for (size_t i = 0; i < 5; i++)
        earlier[i] = only("scheduler.latency.p99_ns", usual[i]);
    assert_int_equal(usual_moves(earlier, 5, &now, moves), 1);
    assert_string_equal(moves[0].number->path, "scheduler.latency.p99_ns");
    assert_true(moves[0].usual == 3e5 && moves[0].now == 41e6 && moves[0].n == 5);
    assert_true(moves[0].times > 70 && moves[0].times < 80); /* the noise is in both */
    now = only("scheduler.latency.p99_ns", 4e5);
    assert_int_equal(usual_moves(earlier, 5, &now, moves), 0);
    now = only("scheduler.latency.p99_ns", NAN);
    assert_int_equal(usual_moves(earlier, 5, &now, moves), 0);
    now = only("syscalls.count", 1e6);
    assert_int_equal(usual_moves(earlier, 5, &now, moves), 0);
    assert_int_equal(usual_moves(earlier, 0, &now, moves), 0);
}

static void test_less_is_a_move(void **state)
{
    struct usual_values earlier = only("events.total", 50000), now = only("events.total", 10);
    struct usual_move moves[USUAL_MOVES];

    (void)state;
    assert_int_equal(usual_moves(&earlier, 1, &now, moves), 1);
    assert_true(moves[0].usual > moves[0].now);
}

/* What swings anyway has not moved, however far it is from the median. */
static void test_what_swings(void **state)
{
    static const double usual[] = {1e3, 9e6, 2e3, 9e7, 3e3, 8e7, 7e7};
    struct usual_values earlier[7], now = only("gc.heap_max_bytes", 7.5e7);
    struct usual_move moves[USUAL_MOVES];

    (void)state;
    for (size_t i = 0; i < 7; i++)
        earlier[i] = only("gc.heap_max_bytes", usual[i]);
    assert_int_equal(usual_moves(earlier, 7, &now, moves), 0);
}

static void test_small_values_are_noise(void **state)
{
    struct usual_values earlier = only("goroutines.max_alive", 2),
                        now = only("goroutines.max_alive", 12);
    struct usual_move moves[USUAL_MOVES];

    (void)state;
    assert_int_equal(usual_moves(&earlier, 1, &now, moves), 0);
}

static void test_the_most_first(void **state)
{
    struct usual_values earlier, now;
    struct usual_move moves[USUAL_MOVES];

    (void)state;
    for (size_t i = 0; i < USUAL_NUMBERS; i++) {
        earlier.values[i] = 0;
        now.values[i] = usual_numbers[i].noise * (double)(i + 2);
    }
    assert_int_equal(usual_moves(&earlier, 1, &now, moves), USUAL_MOVES);
    for (size_t i = 0; i < USUAL_MOVES; i++)
        assert_ptr_equal(moves[i].number, &usual_numbers[USUAL_NUMBERS - 1 - i]);
    for (size_t i = 0; i < USUAL_NUMBERS; i++)
        now.values[i] = usual_numbers[i].noise * (double)(USUAL_NUMBERS + 2 - i);
    assert_int_equal(usual_moves(&earlier, 1, &now, moves), USUAL_MOVES);
    for (size_t i = 0; i < USUAL_MOVES; i++)
        assert_ptr_equal(moves[i].number, &usual_numbers[i]);
}

static void test_text(void **state)
{
    static const char *const texts[] = {"idle", "healthy", "gc-pressure", "healthy", "idle"};
    size_t times = 0;

    (void)state;
    assert_string_equal(usual_text(texts, 5, &times), "idle");
    assert_int_equal(times, 2);
    assert_string_equal(usual_text(texts, 4, &times), "healthy");
    assert_null(usual_text(texts, 0, &times));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_nonsense_is_not_known),
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_what_moved),
        cmocka_unit_test(test_less_is_a_move),
        cmocka_unit_test(test_what_swings),
        cmocka_unit_test(test_small_values_are_noise),
        cmocka_unit_test(test_the_most_first),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
