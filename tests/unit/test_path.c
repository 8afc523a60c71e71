/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "lib/value/path.h"

static const char document[] =
    "{\"scheduler\": {\"latency\": {\"p99_ns\": 5, \"p999_ns\": 6}},"
    " \"label\": \"idle\", \"complete\": true, \"longest\": null, \"tasks\": [],"
    " \"regions\": [{\"type\": \"db.query\", \"max_ns\": 7}, {\"type\": \"1\", \"max_ns\": 8}],"
    " \"events\": {\"by_type\": {\"GoStart\": 9}},"
    " \"diff\": {\"a.p99_ns\": {\"ratio\": 2, \"delta\": 3}}}";

static int setup(void **state)
{
    *state = json_loads(document, 0, NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    json_decref(*state);
    return 0;
}

static void test_find(void **state)
{
    static const struct {
        const char *path;
        enum path_found found;
        double value;
    } rows[] = {
        {"scheduler.latency.p99_ns", PATH_FOUND, 5},
        {"scheduler[\"latency\"]['p99_ns']", PATH_FOUND, 5},
        {"scheduler.latncy.p99_ns", PATH_UNKNOWN, 0},
        {"scheduler.latency.p99_ns.x", PATH_UNKNOWN, 0},
        {"complete", PATH_FOUND, 1},
        {"regions[1].max_ns", PATH_FOUND, 8},
        {"regions.0.max_ns", PATH_FOUND, 7},
        {"regions[\"db.query\"].max_ns", PATH_FOUND, 7},
        {"regions[\"1\"].max_ns", PATH_FOUND, 8},
        {"regions[\"0\"].max_ns", PATH_ABSENT, 0},
        {"regions[2].max_ns", PATH_ABSENT, 0},
        {"regions[\"none\"].maximum", PATH_UNKNOWN, 0},
        {"tasks[0].max_ns", PATH_ABSENT, 0},
        {"tasks[\"pay\"].max_ns", PATH_ABSENT, 0},
        {"tasks[\"pay\"].maximum", PATH_UNKNOWN, 0},
        {"tasks[\"pay\"].ns", PATH_UNKNOWN, 0},
        {"tasks[\"pay\"][\"\"]", PATH_UNKNOWN, 0},
        {"tasks[\"pay\"][\" type\"]", PATH_UNKNOWN, 0},
        {"tasks[\"pay\"]", PATH_ABSENT, 0},
        {"longest", PATH_ABSENT, 0},
        {"longest.duration_ns", PATH_ABSENT, 0},
        {"context.cgroup.throttled", PATH_ABSENT, 0},
        {"events.by_type.GoStart", PATH_FOUND, 9},
        {"events.by_type.GoStop", PATH_ABSENT, 0},
        {"diff[\"a.p99_ns\"].ratio", PATH_FOUND, 2},
        {"diff[\"b.p99_ns\"].ratio", PATH_UNKNOWN, 0},
        {"diff[\"tasks[\\\"x\\\"].p99_ns\"].ratio", PATH_ABSENT, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct path path;
        const json_t *at;
        double value = 0;

        if (path_parse(rows[i].path, &path) != 0 || strcmp(path.text, rows[i].path) != 0)
            fail_msg("%s is no path", rows[i].path);
        if (path_find(&path, *state, &at) != rows[i].found ||
            path_number(&path, *state, &value) != (rows[i].found == PATH_FOUND) ||
            value < rows[i].value || value > rows[i].value)
            fail_msg("%s: %g", rows[i].path, value);
    }
}

static void test_no_numbers(void **state)
{
    struct path path;
    double value;

    assert_int_equal(path_parse("label", &path), 0);
    assert_false(path_number(&path, *state, &value));
    assert_int_equal(path_parse("regions", &path), 0);
    assert_false(path_number(&path, *state, &value));
}

static void test_refused(void **state)
{
    static const char *const wrong[] = {
        "",        ".",   "a.",  "a..b",  "a[",      "a[]", "a[x]",  "a[\"x]",
        "a[\"x\"", "a b", "[0]", "a[-1]", "a[\"x\\", "a>",  "\"a\"",
    };
    char text[2 * PATH_SIZE];
    struct path path;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (path_parse(wrong[i], &path) != -EINVAL)
            fail_msg("'%s' is a path", wrong[i]);
    }
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 ? '.' : 'a'; /* too many parts */
    text[2 * PATH_PARTS_MAX + 1] = '\0';
    assert_int_equal(path_parse(text, &path), -EINVAL);
    text[2 * PATH_PARTS_MAX - 1] = '\0';
    assert_int_equal(path_parse(text, &path), 0);
    memset(text, 'a', sizeof(text));
    text[PATH_SIZE] = '\0';
    assert_int_equal(path_parse(text, &path), -EINVAL);
    text[PATH_SIZE - 1] = '\0';
    assert_int_equal(path_parse(text, &path), 0);
}

static const char *unit(const char *text)
{
    static struct path path;

    assert_int_equal(path_parse(text, &path), 0);
    return path_unit(&path);
}

static void test_unit(void **state)
{
    (void)state;
    assert_string_equal(unit("scheduler.latency.p99_ns"), "p99_ns");
    assert_string_equal(unit("gc.cycles"), "cycles");
    assert_string_equal(unit("diff[\"a.p99_ns\"].delta"), "a.p99_ns");
    assert_string_equal(unit("diff[\"a.p99_ns\"].ratio"), "ratio");
}

static void test_near(void **state)
{
    char near[PATH_NEAR][PATH_SIZE];

    assert_true(path_near("scheduler.latncy.p99_ns", *state, near) >= 1);
    assert_string_equal(near[0], "scheduler.latency.p99_ns");
    assert_true(path_near("regions.max_ns", *state, near) >= 1);
    assert_string_equal(near[0], "regions[0].max_ns");
    assert_int_equal(path_near("zzzzzzzzzzzzzzzzzzz", *state, near), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_find, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_numbers, setup, teardown),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unit),
        cmocka_unit_test_setup_teardown(test_near, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
