/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/source/kube/follow.h"

#define LONG_ENOUGH (10 * USEC_PER_SEC)
#define MOST UINT64_MAX /* draws the longest wait */

static const struct follow_scope all = {"", NULL, NULL};

/* The next request is this one; of a watch without its time. */
static void assert_next(const struct follow *f, const struct follow_scope *scope, const char *url)
{
    struct buf out;
    char *time;

    buf_init(&out, 8192);
    assert_int_equal(follow_request(f, scope, 0, &out), 0);
    time = strstr(out.data, "&timeoutSeconds=300");
    if (time)
        *time = '\0';
    assert_string_equal(out.data, url);
    buf_done(&out);
}

#define FIRST_LIST "/api/v1/pods?limit=500&resourceVersion=0"
#define NEWEST_LIST "/api/v1/pods?limit=500"
#define WATCH_FROM(v) "/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=" v
#define LIST_FROM(v) "/api/v1/pods?resourceVersion=" v "&resourceVersionMatch=NotOlderThan"

static usec end_with(struct follow *f, long status, usec lasted)
{
    return follow_ended(
        f, &(struct follow_end){.complete = true, .status = status, .lasted = lasted}, MOST);
}

static void test_list_and_watch(void **state)
{
    struct follow f;

    (void)state;
    follow_init(&f);
    assert_next(&f, &all, FIRST_LIST);
    assert_int_equal(follow_listed(&f, "10", "to/k=en"), 0);
    assert_next(&f, &all, "/api/v1/pods?limit=500&continue=to%2Fk%3Den");
    /* A page that fails is asked for again. */
    assert_true(end_with(&f, 500, 0) > 0);
    assert_next(&f, &all, "/api/v1/pods?limit=500&continue=to%2Fk%3Den");
    assert_int_equal(follow_listed(&f, "11", ""), 0);
    assert_next(&f, &all, WATCH_FROM("11"));
    assert_int_equal(follow_event(&f, "opaque+12"), 0);
    assert_next(&f, &all, WATCH_FROM("opaque%2B12"));
    /* A watch that the server ends is renewed at once. */
    assert_int_equal(end_with(&f, 200, LONG_ENOUGH), 0);
    assert_next(&f, &all, WATCH_FROM("opaque%2B12"));
    follow_done(&f);
}

static void test_scope(void **state)
{
    const struct follow_scope scope = {"shop", "app in (a, b)", "spec.nodeName=node-1"};
    struct follow f;

    (void)state;
    follow_init(&f);
    assert_next(&f, &scope,
                "/api/v1/namespaces/shop/pods?labelSelector=app%20in%20%28a%2C%20b%29&"
                "fieldSelector=spec.nodeName%3Dnode-1&limit=500&resourceVersion=0");
    follow_done(&f);
}

static void watch_from(struct follow *f, const char *version)
{
    follow_init(f);
    assert_int_equal(follow_listed(f, version, NULL), 0);
}

static void test_gone(void **state)
{
    struct follow f;

    (void)state;
    watch_from(&f, "7");
    assert_true(end_with(&f, 410, LONG_ENOUGH) <= USEC_PER_SEC / 4);
    /* From the server's memory, as it costs least. */
    assert_next(&f, &all, LIST_FROM("7"));
    assert_true(end_with(&f, 410, 0) <= 2 * USEC_PER_SEC);
    assert_next(&f, &all, NEWEST_LIST);
    /* Its continuation expires: all in one piece. */
    assert_int_equal(follow_listed(&f, "9", "token"), 0);
    assert_true(end_with(&f, 410, 0) > 0);
    assert_next(&f, &all, "/api/v1/pods");
    assert_true(end_with(&f, 410, 0) > 0);
    assert_next(&f, &all, "/api/v1/pods");
    assert_int_equal(follow_listed(&f, "9", NULL), 0);
    assert_next(&f, &all, WATCH_FROM("9"));
    /* The next one begins as before. */
    (void)end_with(&f, 410, LONG_ENOUGH);
    assert_next(&f, &all, LIST_FROM("9"));
    follow_done(&f);
}

static void test_too_large(void **state)
{
    struct follow_end behind = {.complete = true, .status = 504, .too_large = true};
    struct follow f;

    (void)state;
    watch_from(&f, "7");
    (void)follow_ended(&f, &behind, MOST);
    assert_next(&f, &all, LIST_FROM("7"));
    (void)follow_ended(&f, &behind, MOST);
    assert_next(&f, &all, NEWEST_LIST);
    follow_done(&f);
    /* A proxy's 504 says nothing about the version. */
    watch_from(&f, "7");
    (void)end_with(&f, 504, 0);
    assert_next(&f, &all, WATCH_FROM("7"));
    follow_done(&f);
}

/* A server that is away for long is asked at most each 30 s, and then from where we were. */
static void test_away(void **state)
{
    struct follow f;
    usec sum = 0;

    (void)state;
    watch_from(&f, "7");
    for (unsigned i = 0; i < 100; i++) {
        usec wait = follow_ended(&f, &(struct follow_end){0}, MOST);

        assert_in_range(wait, 1, 30 * USEC_PER_SEC);
        sum += wait;
        assert_next(&f, &all, WATCH_FROM("7"));
    }
    assert_true(sum > 90 * 30 * USEC_PER_SEC);
    assert_int_equal(end_with(&f, 200, LONG_ENOUGH), 0);
    follow_done(&f);
}

/* The wait is spread, from nothing up. */
static void test_jitter(void **state)
{
    struct follow f;

    (void)state;
    watch_from(&f, "7");
    assert_int_equal(follow_ended(&f, &(struct follow_end){0}, 0), 0);
    follow_done(&f);
}

static void test_retry_after(void **state)
{
    struct follow_end busy = {.complete = true, .status = 429, .retry_after = 40 * USEC_PER_SEC};
    struct follow f;

    (void)state;
    follow_init(&f);
    assert_int_equal(follow_ended(&f, &busy, 0), 40 * USEC_PER_SEC);
    assert_next(&f, &all, FIRST_LIST);
    assert_true(follow_ended(&f, &busy, MOST) > 40 * USEC_PER_SEC);
    follow_done(&f);
}

/* Lists that are good and watches that are refused at once: each list comes later than the one
 * before. */
static void test_no_storm(void **state)
{
    struct follow f;
    usec wait = 0;

    (void)state;
    watch_from(&f, "1");
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(follow_event(&f, "2"), 0);
        wait = end_with(&f, 410, USEC_PER_SEC);
        assert_int_equal(f.step, FOLLOW_LIST);
        assert_int_equal(follow_listed(&f, "2", NULL), 0);
    }
    assert_true(wait >= 20 * USEC_PER_SEC);
    /* So do watches that end as soon as they have begun. */
    for (unsigned i = 0; i < 20; i++)
        wait = end_with(&f, 200, 0);
    assert_true(wait >= 20 * USEC_PER_SEC);
    follow_done(&f);
}

static void test_broken(void **state)
{
    struct follow f;

    (void)state;
    watch_from(&f, "7");
    assert_true(follow_ended(&f, &(struct follow_end){.broken = true, .status = 200}, MOST) > 0);
    assert_next(&f, &all, LIST_FROM("7"));
    assert_int_equal(follow_listed(&f, "", NULL), -EBADMSG);
    assert_int_equal(follow_event(&f, ""), -EBADMSG);
    follow_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_and_watch), cmocka_unit_test(test_scope),
        cmocka_unit_test(test_gone),           cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_away),           cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_retry_after),    cmocka_unit_test(test_no_storm),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
