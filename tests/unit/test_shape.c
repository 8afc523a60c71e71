/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/value/path.h"
#include "lib/value/shape.h"

static json_t *example;

static enum path_found find(const char *text, const json_t **ret)
{
    struct path path;

    assert_int_equal(path_parse(text, &path), 0);
    return path_find(&path, example, ret);
}

/* Numbers behind references, in lists, and of what may be null. */
static void test_numbers(void **state)
{
    static const char *const paths[] = {
        "covered",           "scheduler.latency.p99_ns", "scheduler.share_over_10ms",
        "procs.gc_share",    "syscalls.count",           "longest_run.duration_ns",
        "regions[0].max_ns", "findings[0].score",
    };
    const json_t *value;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (find(paths[i], &value) != PATH_FOUND || !json_is_number(value))
            fail_msg("%s is no number", paths[i]);
    }
    assert_int_equal(find("complete", &value), PATH_FOUND);
    assert_true(json_is_boolean(value));
    assert_int_equal(find("label", &value), PATH_FOUND);
    assert_true(json_is_string(value));
}

/* What is named by what happened may be there; a misspelled member of it never is. */
static void test_others(void **state)
{
    const json_t *value;

    (void)state;
    assert_int_equal(find("events.by_type.GoStart", &value), PATH_ABSENT);
    assert_int_equal(find("regions[\"db.query\"].max_ns", &value), PATH_ABSENT);
    assert_int_equal(find("regions[\"db.query\"].max", &value), PATH_UNKNOWN);
    assert_int_equal(find("outliers.standing.chan", &value), PATH_ABSENT);
    assert_int_equal(find("scheduler.latency.p99", &value), PATH_UNKNOWN);
    assert_int_equal(find("schedular", &value), PATH_UNKNOWN);
}

static int setup(void **state)
{
    (void)state;
    return shape_example(&example);
}

static int teardown(void **state)
{
    (void)state;
    json_decref(example);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
