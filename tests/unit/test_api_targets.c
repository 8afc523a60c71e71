/* SPDX-License-Identifier: Apache-2.0 */

/* GET /api/v1/targets: what is shown of a target, filters and pages. */

#include "daemon/artifact/artifacts.h"
#include "tests/support/api_fixture.h"

#include <string.h>

static const char *const addresses[] = {"a:1", "b:1", "c:1", "d:1"};

/* Member `name` of the target at this place, as text. */
static const char *text_of(size_t i, const char *name)
{
    const json_t *targets = json_object_get(api_json(), "targets");

    return json_string_value(json_object_get(json_array_get(targets, i), name));
}

static void assert_page(size_t n, int total, const char *first)
{
    const json_t *page = api_json();

    assert_int_equal(json_array_size(json_object_get(page, "targets")), n);
    assert_int_equal(json_integer_value(json_object_get(page, "total")), total);
    if (n > 0)
        assert_string_equal(text_of(0, "address"), first);
}

static void test_none(void **state)
{
    (void)state;
    assert_int_equal(api_ask("GET", "/api/v1/targets", NULL), 200);
    assert_page(0, 0, NULL);
    assert_true(json_is_null(json_object_get(api_json(), "after")));
}

static void test_one(void **state)
{
    const json_t *t;

    (void)state;
    api_configure("shop", addresses, 1);
    assert_int_equal(api_ask("GET", "/api/v1/targets", NULL), 200);
    assert_page(1, 1, "a:1");
    assert_string_equal(text_of(0, "target"), "http://a:1/debug/pprof/trace");
    assert_string_equal(text_of(0, "service"), "shop");
    assert_string_equal(text_of(0, "host"), "a");
    assert_string_equal(text_of(0, "job"), "shop");
    assert_string_equal(text_of(0, "state"), "new");
    t = json_array_get(json_object_get(api_json(), "targets"), 0);
    assert_true(json_number_value(json_object_get(t, "interval_seconds")) == 3600);
    assert_true(json_number_value(json_object_get(t, "seconds")) == 2);
    assert_true(json_is_null(json_object_get(t, "in_flight")));
    assert_true(json_is_null(json_object_get(t, "last")));
    assert_true(json_is_null(json_object_get(t, "next"))); /* nobody has scheduled it */
}

static void test_filters(void **state)
{
    static const struct {
        const char *query;
        size_t n;
    } cases[] = {
        {"service=shop", 4},
        {"service=other", 0},
        {"job=shop", 4},
        {"job=sho", 0},
        {"state=new", 4},
        {"state=failing", 0},
        {"state=ok", 0},
        {"target=c:1", 1},
        {"target=http://c:1/debug/pprof/trace", 1},
        {"target=c", 0},
        {"service=shop&target=c:1", 1},
        {"service=&job=", 4}, /* empty is as good as none */
    };

    (void)state;
    api_configure("shop", addresses, 4);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char target[128];

        (void)snprintf(target, sizeof(target), "/api/v1/targets?%s", cases[i].query);
        assert_int_equal(api_ask("GET", target, NULL), 200);
        assert_page(cases[i].n, (int)cases[i].n, cases[i].n == 4 ? "a:1" : "c:1");
    }
}

/* A target whose traces are kept while its mutex profiles fail is found among the failing. */
static void test_another_artifact_fails(void **state)
{
    struct target *t;
    struct lane *l;

    (void)state;
    af.artifacts = 1u << KIND_TRACE | 1u << KIND_MUTEX;
    api_configure("shop", addresses, 3);
    t = targets_at(af.context.targets, 2);
    assert_int_equal(target_add_lane(t, artifacts_of_kind(KIND_MUTEX), &l), 0);
    assert_ptr_not_equal(l, target_primary(t));
    l->told = true;
    l->state = OUTCOME_TIMEOUT;
    assert_int_equal(api_ask("GET", "/api/v1/targets?state=failing", NULL), 200);
    assert_page(1, 1, "c:1");
    assert_string_equal(text_of(0, "state"), "new");
    assert_int_equal(api_ask("GET", "/api/v1/targets?state=timeout", NULL), 200);
    assert_page(1, 1, "c:1");
    assert_int_equal(api_ask("GET", "/api/v1/targets?state=failing&artifact=mutex", NULL), 200);
    assert_page(1, 1, "c:1");
    assert_int_equal(api_ask("GET", "/api/v1/targets?state=failing&artifact=trace", NULL), 200);
    assert_page(0, 0, "");
    l->wanted = false; /* somebody asked for it once */
    assert_int_equal(api_ask("GET", "/api/v1/targets?state=failing", NULL), 200);
    assert_page(0, 0, "");
    l->wanted = true;
    l->state = OUTCOME_OK;
    assert_int_equal(api_ask("GET", "/api/v1/targets?state=ok", NULL), 200);
    assert_page(0, 0, "");
}

/* The query for the page behind the one that was answered. */
static const char *next_page(unsigned limit)
{
    static char target[128];

    (void)snprintf(target, sizeof(target), "/api/v1/targets?limit=%u&after=%s", limit,
                   json_string_value(json_object_get(api_json(), "after")));
    return target;
}

static void test_pages(void **state)
{
    (void)state;
    api_configure("shop", addresses, 4);
    assert_int_equal(api_ask("GET", "/api/v1/targets?limit=2", NULL), 200);
    assert_page(2, 4, "a:1");
    assert_int_equal(api_ask("GET", next_page(1), NULL), 200);
    assert_page(1, 4, "c:1");
    assert_int_equal(api_ask("GET", next_page(1), NULL), 200);
    assert_page(1, 4, "d:1");
    assert_true(json_is_null(json_object_get(api_json(), "after")));
}

/* A cursor holds when the target that it names is gone. */
static void test_page_behind_one_that_is_gone(void **state)
{
    static const char *const left[] = {"a:1", "d:1"};
    char target[128];

    (void)state;
    api_configure("shop", addresses, 4);
    assert_int_equal(api_ask("GET", "/api/v1/targets?limit=2", NULL), 200);
    (void)snprintf(target, sizeof(target), "%s", next_page(2));
    api_configure("shop", left, 2);
    assert_int_equal(api_ask("GET", target, NULL), 200);
    assert_page(1, 2, "d:1");
}

static void test_bad_queries(void **state)
{
    static const char *const bad[] = {"limit=0",      "limit=1001",          "limit=x",
                                      "limit=",       "after=shop",          "after=5:shop",
                                      "after=x:shop", "after=999999999:shop"};

    (void)state;
    api_configure("shop", addresses, 4);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char target[128];

        (void)snprintf(target, sizeof(target), "/api/v1/targets?%s", bad[i]);
        assert_int_equal(api_ask("GET", target, NULL), 400);
        assert_non_null(strstr(api_error(), bad[i][0] == 'l' ? "`limit`" : "`after`"));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_setup, api_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_none),        TEST(test_one),
        TEST(test_filters),     TEST(test_another_artifact_fails),
        TEST(test_pages),       TEST(test_page_behind_one_that_is_gone),
        TEST(test_bad_queries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
