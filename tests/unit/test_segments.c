/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/segments.h"

#define N(a) (sizeof(a) / sizeof(a)[0])

static void test_check(void **state)
{
    static const struct {
        const char *path;
        bool escaped;
        enum segments expected;
    } cases[] = {
        {"", false, SEGMENTS_FINE},           {"/", false, SEGMENTS_FINE},
        {"a", false, SEGMENTS_FINE},          {"/a/b.c/", false, SEGMENTS_FINE},
        {"...", false, SEGMENTS_FINE},        {"a..b/.c/d.", false, SEGMENTS_FINE},
        {".", false, SEGMENTS_DOTS},          {"..", false, SEGMENTS_DOTS},
        {"/..", false, SEGMENTS_DOTS},        {"a/./b", false, SEGMENTS_DOTS},
        {"a/../b/", false, SEGMENTS_DOTS},    {"a/..", false, SEGMENTS_DOTS},
        {"//", false, SEGMENTS_EMPTY},        {"//a", false, SEGMENTS_EMPTY},
        {"a//b", false, SEGMENTS_EMPTY},      {"a/b//", false, SEGMENTS_EMPTY},
        {"a/%2e%2E/b", false, SEGMENTS_FINE}, {"a/%2e%2E/b", true, SEGMENTS_DOTS},
        {"a/%2e", true, SEGMENTS_DOTS},       {"a/.%2e/b", true, SEGMENTS_DOTS},
        {"a/%2", true, SEGMENTS_FINE},        {"a/%2ex", true, SEGMENTS_FINE},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++)
        assert_int_equal(segments_check(cases[i].path, cases[i].escaped), cases[i].expected);
}

static void test_climb(void **state)
{
    (void)state;
    assert_true(segments_climb("/a/../b"));
    assert_true(segments_climb("/a/.."));
    assert_false(segments_climb("/a/./b//c"));
    assert_false(segments_climb("/a/..b/c.."));
}

static void test_within(void **state)
{
    static const struct {
        const char *path, *dir;
        bool within;
    } cases[] = {
        {"/var/lib/contrace", "/var/lib/contrace", true},
        {"/var/lib/contrace/x", "/var/lib/contrace/", true},
        {"//var//lib/./contrace/x", "/var/lib/contrace", true},
        {"/var/lib/contrace", "/var/./lib//contrace/.", true},
        {"/var/lib/contrace2", "/var/lib/contrace", false},
        {"/var/lib", "/var/lib/contrace", false},
        {"/srv", "/var/lib/contrace", false},
        {"/srv", "/", true},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++)
        assert_int_equal(segments_within(cases[i].path, cases[i].dir), cases[i].within);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_climb),
        cmocka_unit_test(test_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
