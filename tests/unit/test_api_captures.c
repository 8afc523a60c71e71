/* SPDX-License-Identifier: Apache-2.0 */

/* GET /api/v1/captures and one of them, from a spool with three traces a minute apart. */

#include "tests/support/api_fixture.h"

#include <string.h>

static int setup(void **state)
{
    int r = api_setup(state);

    capture_many(3, 100);
    return r;
}

static const json_t *entry(size_t i)
{
    return json_array_get(json_object_get(api_json(), "captures"), i);
}

static const char *key_of(size_t i)
{
    const char *key = json_string_value(json_object_get(entry(i), "key"));

    return key ? key : "";
}

static void ask(const char *query, size_t n, int total)
{
    char target[512];

    (void)snprintf(target, sizeof(target), "/api/v1/captures?%s", query);
    assert_int_equal(api_ask("GET", target, NULL), 0); /* the disk may be asked first */
    assert_int_equal(api_wait(), 200);
    assert_int_equal(json_array_size(json_object_get(api_json(), "captures")), n);
    assert_int_equal(json_integer_value(json_object_get(api_json(), "total")), total);
}

static void test_newest_first(void **state)
{
    (void)state;
    ask("limit=1000", 3, 3);
    assert_true(strcmp(key_of(0), key_of(1)) > 0 && strcmp(key_of(1), key_of(2)) > 0);
    assert_string_equal(json_string_value(json_object_get(entry(0), "start")),
                        "2026-03-14T09:28:53.000Z");
    assert_int_equal(json_integer_value(json_object_get(entry(0), "bytes")), 100);
    assert_string_equal(json_string_value(json_object_get(entry(0), "state")), "pending");
    assert_string_equal(json_string_value(json_object_get(entry(0), "service")), "checkout");
    assert_true(json_is_null(json_object_get(entry(0), "label")));
    assert_true(json_is_null(json_object_get(entry(0), "scheduler_latency_p99_seconds")));
    assert_true(json_is_null(json_object_get(api_json(), "before")));
}

static void test_pages(void **state)
{
    char query[512], last[NAME_KEY_MAX];

    (void)state;
    ask("limit=2", 2, 3);
    (void)snprintf(last, sizeof(last), "%s", key_of(1));
    assert_string_equal(json_string_value(json_object_get(api_json(), "before")), last);
    (void)snprintf(query, sizeof(query), "limit=2&before=%s", last);
    ask(query, 1, 3);
    assert_true(strcmp(key_of(0), last) < 0);
    assert_true(json_is_null(json_object_get(api_json(), "before")));
}

static void test_filters(void **state)
{
    (void)state;
    ask("service=checkout", 3, 3);
    ask("service=other", 0, 0);
    ask("host=nowhere", 0, 0);
    ask("label=", 3, 3); /* those without one */
    ask("label=healthy", 0, 0);
    ask("since=2026-03-14T09:28:00Z", 1, 1);
    ask("until=2026-03-14T09:28:00Z", 2, 2);
    ask("since=2026-03-14T09:27:00Z&until=2026-03-14T09:28:00Z", 1, 1);
}

static void test_bad_queries(void **state)
{
    static const struct {
        const char *query, *about;
    } bad[] = {
        {"limit=0", "`limit`"},
        {"since=yesterday", "`since`"},
        {"until=2026-03-14", "`until`"},
        {"before=nonsense", "`before`"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char target[128];

        (void)snprintf(target, sizeof(target), "/api/v1/captures?%s", bad[i].query);
        assert_int_equal(api_ask("GET", target, NULL), 400);
        assert_non_null(strstr(api_error(), bad[i].about));
    }
}

static void test_nobody_waits(void **state)
{
    (void)state;
    assert_int_equal(api_ask("GET", "/api/v1/captures", NULL), 0);
    api_leave();
    fixture_settle();
    assert_int_equal(af.answers, 0);
}

static void test_trace_and_record(void **state)
{
    char target[512], key[NAME_KEY_MAX];

    (void)state;
    ask("limit=1", 1, 3);
    (void)snprintf(key, sizeof(key), "%s", key_of(0));
    (void)snprintf(target, sizeof(target), "/api/v1/captures/%s", key);
    assert_int_equal(api_ask("GET", target, NULL), 200);
    assert_string_equal(af.type, "application/octet-stream");
    assert_string_equal(af.text, "go 1.26 trace");
    assert_null(strchr(af.name, '/')); /* what it is saved as is one file */
    assert_int_equal(strlen(af.name), strlen(key));

    (void)snprintf(target, sizeof(target), "/api/v1/captures/%.*s.json",
                   (int)(strlen(key) - strlen(".trace")), key);
    assert_int_equal(api_ask("GET", target, NULL), 200);
    assert_int_equal(json_integer_value(json_object_get(api_json(), "bytes")), 100);
}

static void test_not_kept(void **state)
{
    static const char *const paths[] = {
        "checkout/web-1/20260314/000000-1.trace", /* a key, but none of ours */
        "checkout/web-1/20260314/000000-1.json",
        "../../../etc/passwd.trace",
        "/etc/passwd.json",
        ".trace",
        "",
        "checkout",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char target[256];

        (void)snprintf(target, sizeof(target), "/api/v1/captures/%s", paths[i]);
        assert_int_equal(api_ask("GET", target, NULL), 404);
        assert_non_null(strstr(api_error(), "GET /api/v1/captures"));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, api_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_newest_first), TEST(test_pages),        TEST(test_filters),
        TEST(test_bad_queries),  TEST(test_nobody_waits), TEST(test_trace_and_record),
        TEST(test_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
