/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/watch/near.h"

static const char page[] = "# HELP go_goroutines Number of goroutines.\n"
                           "go_goroutines 7\n"
                           "go_sync_mutex_wait_total_seconds_total 1.5\n"
                           "http_seconds_bucket{le=\"1\"} 3\n"
                           "http_seconds_bucket{le=\"+Inf\"} 3\n"
                           "http_seconds_sum 2\n"
                           "http_seconds_count 3\n"
                           "go_threads 9\n";

static void test_names(void **state)
{
    struct near s;

    (void)state;
    for (size_t step = 1; step < sizeof(page); step += 7) {
        near_init(&s);
        for (size_t i = 0; i < sizeof(page) - 1; i += step)
            near_feed(&s, page + i, step < sizeof(page) - 1 - i ? step : sizeof(page) - 1 - i);
        assert_int_equal(s.n, 6);
        assert_true(near_has(&s, "go_goroutines"));
        assert_true(near_has(&s, "http_seconds"));
        assert_false(near_has(&s, "http"));
        assert_false(near_has(&s, "Number"));
        near_done(&s);
    }
}

static void test_what_is_like_it(void **state)
{
    char found[NEAR_FOUND][NEAR_NAME_MAX + 1];
    struct near s;

    (void)state;
    near_init(&s);
    near_feed(&s, page, sizeof(page) - 1);
    assert_int_equal(near_find(&s, "go_mutex_wait_seconds_total", found), 1);
    assert_string_equal(found[0], "go_sync_mutex_wait_total_seconds_total");
    assert_int_equal(near_find(&s, "go_gorutines", found), 1);
    assert_string_equal(found[0], "go_goroutines");
    assert_int_equal(near_find(&s, "http_request_seconds", found), 1);
    assert_string_equal(found[0], "http_seconds"); /* once, though it has three names */
    assert_int_equal(near_find(&s, "postgres_connections", found), 0);
    near_done(&s);
}

/* The nearest three of many, the nearest first. */
static void test_order(void **state)
{
    static const char many[] = "a_b_c_x 1\na_b_y_z 1\na_b_c_d_e 1\na_b_c_d 1\na_b_c_q 1\n";
    char found[NEAR_FOUND][NEAR_NAME_MAX + 1];
    struct near s;

    (void)state;
    near_init(&s);
    near_feed(&s, many, sizeof(many) - 1);
    assert_int_equal(near_find(&s, "a_b_c_d", found), 3);
    assert_string_equal(found[0], "a_b_c_d");
    assert_string_equal(found[1], "a_b_c_d_e");
    assert_string_equal(found[2], "a_b_c_x");
    near_done(&s);
}

static void test_bounds(void **state)
{
    char line[2 * NEAR_NAME_MAX];
    struct near s;

    (void)state;
    near_init(&s);
    memset(line, 'a', sizeof(line));
    near_feed(&s, line, sizeof(line));
    near_feed(&s, " 1\n", 3);
    assert_int_equal(s.n, 0);
    for (int i = 0; i < 2 * NEAR_NAMES_MAX; i++) {
        int n = snprintf(line, sizeof(line), "name%d 1\n", i);

        near_feed(&s, line, (size_t)n);
    }
    assert_true(s.n >= NEAR_NAMES_MAX / 2 && s.n < 2 * NEAR_NAMES_MAX);
    near_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_like_it),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
