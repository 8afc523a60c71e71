/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/find/selection.h"

#define NOW ((usec)1795275600 * USEC_PER_SEC) /* 2026-11-21T15:40:00Z */

static struct name parsed(const char *key)
{
    struct name n;

    assert_int_equal(name_parse(key, &n), 0);
    return n;
}

static bool matches(const struct selection *s, const char *key)
{
    struct name n = parsed(key);

    return selection_match(s, &n);
}

static void test_match(void **state)
{
    struct selection s = {.until = USEC_NEVER};

    (void)state;
    assert_true(matches(&s, "checkout/web-3/20261121/153959-1.trace"));
    s.service = "check*";
    s.host = "web-[0-3]";
    assert_true(matches(&s, "checkout/web-3/20261121/153959-1.trace"));
    assert_false(matches(&s, "checkout/web-4/20261121/153959-1.trace"));
    assert_false(matches(&s, "search/web-3/20261121/153959-1.trace"));
    s = (struct selection){.since = NOW, .until = NOW + 10 * USEC_PER_SEC};
    assert_false(matches(&s, "a/b/20261121/153959.trace"));
    assert_true(matches(&s, "a/b/20261121/154000.trace"));
    assert_true(matches(&s, "a/b/20261121/154009.trace"));
    assert_false(matches(&s, "a/b/20261121/154010.trace"));
    /* A key's second is cut: its trace may have begun just then. */
    s.since = NOW + 1;
    assert_true(matches(&s, "a/b/20261121/154000.trace"));
    assert_false(matches(&s, "a/b/20261121/153959.trace"));
}

static void test_match_artifact(void **state)
{
    struct selection s = {.until = USEC_NEVER};

    (void)state;
    assert_true(matches(&s, "a/b/20261121/153959-1.mutex.pb.gz"));
    s.artifact = "mutex";
    assert_true(matches(&s, "a/b/20261121/153959-1.mutex.pb.gz"));
    assert_false(matches(&s, "a/b/20261121/153959-1.trace"));
    assert_false(matches(&s, "a/b/20261121/153959-1.flight.trace"));
    s.artifact = "[tm]*";
    assert_true(matches(&s, "a/b/20261121/153959-1.mutex.pb.gz"));
    assert_true(matches(&s, "a/b/20261121/153959-1.trace"));
    assert_false(selection_needs_record(&s));
}

static void test_match_reason(void **state)
{
    struct selection s = {.reason = "trigger:*"};

    (void)state;
    assert_true(selection_needs_record(&s));
    assert_true(selection_match_record(&s, "trigger:p99", NULL, NULL));
    assert_false(selection_match_record(&s, "schedule", NULL, NULL));
    assert_false(selection_match_record(&s, NULL, NULL, NULL));
    s.label = "*-contention";
    assert_true(selection_match_record(&s, "trigger:p99", "lock-contention", NULL));
    assert_false(selection_match_record(&s, "trigger:p99", "healthy", NULL));
    assert_false(selection_match_record(&s, "trigger:p99", NULL, NULL));
    s.reason = NULL;
    assert_true(selection_needs_record(&s));
    assert_true(selection_match_record(&s, NULL, "lock-contention", NULL));
    s.label = NULL;
    assert_true(selection_match_record(&s, NULL, NULL, NULL));
    assert_false(selection_needs_record(&s));
    s.incident = "a/b/20261121/153959-1";
    assert_true(selection_needs_record(&s));
    assert_true(selection_match_record(&s, NULL, NULL, "a/b/20261121/153959-1"));
    assert_false(selection_match_record(&s, NULL, NULL, "a/b/20261121/153959-2"));
    assert_false(selection_match_record(&s, NULL, NULL, NULL));
}

/* "prefix>after|prefix>after": the whole plan as text. */
static void check_plan(const struct selection *s, const char *expected)
{
    struct range *ranges;
    char text[4096] = "";
    size_t n;

    assert_int_equal(selection_plan(s, NOW, &ranges, &n), 0);
    for (size_t i = 0; i < n; i++) {
        strcat(strcat(text, i ? "|" : ""), ranges[i].prefix);
        strcat(strcat(text, ">"), ranges[i].after);
    }
    free(ranges);
    assert_string_equal(text, expected);
}

static void test_plan(void **state)
{
    struct selection s = {.until = USEC_NEVER};

    (void)state;
    check_plan(&s, ">");
    s.host = "web-3";
    check_plan(&s, ">");
    s.service = "check*";
    check_plan(&s, "check>");
    s.service = "checkout";
    s.host = NULL;
    check_plan(&s, "checkout/>");
    s.host = "web-?";
    check_plan(&s, "checkout/web->");
    s.host = "web-3";
    check_plan(&s, "checkout/web-3/>");
    /* What is not a key's part matches nothing, and must not widen the prefix. */
    s.service = "..";
    check_plan(&s, "..>");
}

static void test_plan_of_days(void **state)
{
    struct selection s = {.service = "checkout", .host = "web-3"};

    (void)state;
    s.since = NOW - 2 * USEC_PER_HOUR;
    s.until = NOW;
    check_plan(&s, "checkout/web-3/20261121/>checkout/web-3/20261121/134000");
    s.until = USEC_NEVER; /* tomorrow, too: another clock may be ahead */
    check_plan(&s, "checkout/web-3/20261121/>checkout/web-3/20261121/134000|"
                   "checkout/web-3/20261122/>");
    s.since = NOW - USEC_PER_DAY;
    s.until = NOW - 1;
    check_plan(&s, "checkout/web-3/20261120/>checkout/web-3/20261120/154000|"
                   "checkout/web-3/20261121/>");
    s.since = NOW - 30 * USEC_PER_DAY;
    check_plan(&s, "checkout/web-3/>checkout/web-3/20261022/154000");
}

static void check_skip(const struct selection *s, const char *key, bool more, const char *expected)
{
    struct name n = parsed(key);
    char out[NAME_KEY_MAX] = "";

    assert_int_equal(selection_skip(s, &n, out), more);
    assert_string_equal(out, expected);
    assert_true(strcmp(out, key) > 0);
}

static void test_skip(void **state)
{
    struct selection s = {.service = "c*", .host = "web-*", .since = NOW, .until = USEC_NEVER};

    (void)state;
    check_skip(&s, "billing/x/20261121/100000-1.trace", true, "billing0");
    check_skip(&s, "checkout/db/20261121/100000-1.trace", true, "checkout/db0");
    check_skip(&s, "checkout/web-3/20261121/100000-1.trace", true,
               "checkout/web-3/20261121/154000");
    s.until = NOW + USEC_PER_MIN;
    check_skip(&s, "checkout/web-3/20261121/160000-1.trace", true, "checkout/web-30");
    s.service = "checkout";
    s.host = "web-3";
    check_skip(&s, "checkout/web-3/20261121/160000-1.trace", false, "checkout/web-30");
}

/* The position lies before what may match and behind what can't. */
static void test_positions_keep_the_order_of_keys(void **state)
{
    char behind[NAME_KEY_MAX], at[NAME_KEY_MAX];
    struct name n = parsed("checkout/web-3/20261121/154000-77-2.trace");

    (void)state;
    (void)name_position(&n, at);
    assert_true(strcmp("checkout/web-3/20261121/153959-99999-9.trace", at) < 0);
    assert_true(strcmp("checkout/web-3/20261121/154000.trace", at) > 0);
    assert_true(strcmp("checkout/web-3/20261121/154000-1.trace", at) > 0);
    (void)name_behind("checkout", "web-3", behind);
    assert_true(strcmp("checkout/web-3/99991231/235959.trace", behind) < 0);
    assert_true(strcmp("checkout/web-30/19700101/000000.trace", behind) > 0);
    (void)name_behind("checkout", NULL, behind);
    assert_true(strcmp("checkout/zzz/99991231/235959.trace", behind) < 0);
    assert_true(strcmp("checkout0/a/19700101/000000.trace", behind) > 0);
    assert_string_equal(name_prefix("s", "h", n.time, at), "s/h/20261121/");
    assert_string_equal(name_prefix("s", "h", USEC_NEVER, at), "s/h/");
    assert_string_equal(name_prefix("s", NULL, n.time, at), "s/");
    assert_true(name_part_ok("web-3.eu_1"));
    assert_false(name_part_ok("") || name_part_ok("..") || name_part_ok("a/b") ||
                 name_part_ok("a b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_match_artifact),
        cmocka_unit_test(test_match_reason),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_plan_of_days),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_positions_keep_the_order_of_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
