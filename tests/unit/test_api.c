/* SPDX-License-Identifier: Apache-2.0 */

/* Probes, reload and suspension, by the table of routes. */

#include "tests/support/api_fixture.h"

#include <errno.h>
#include <string.h>

static void test_routes(void **state)
{
    size_t n;
    const struct admin_route *routes = api_routes(&n);

    (void)state;
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        const struct admin_route *r = &routes[i];

        assert_true(strcmp(r->method, "GET") == 0 || strcmp(r->method, "POST") == 0 ||
                    strcmp(r->method, "PUT") == 0);
        assert_int_equal(r->path[0], '/');
        assert_non_null(r->run);
        /* Nobody changes or learns anything without the token. */
        assert_true(!(r->flags & ADMIN_OPEN) || strncmp(r->path, "/api/", 5) != 0);
        assert_true(!(r->flags & ADMIN_OPEN) || strcmp(r->method, "GET") == 0);
        for (size_t j = 0; j < i; j++)
            assert_true(strcmp(routes[j].path, r->path) != 0 ||
                        strcmp(routes[j].method, r->method) != 0);
    }
}

static void test_healthy(void **state)
{
    (void)state;
    af.stopping = true; /* it still runs */
    assert_int_equal(api_ask("GET", "/-/healthy", NULL), 200);
    assert_string_equal(af.text, "ok\n");
    assert_int_equal(api_ask("GET", "/healthz", NULL), 200);
}

static void test_ready(void **state)
{
    (void)state;
    assert_int_equal(api_ask("GET", "/-/ready", NULL), 200);
    assert_string_equal(af.text, "ready\n");
    af.stopping = true;
    assert_int_equal(api_ask("GET", "/readyz", NULL), 503);
    assert_string_equal(af.text, "contraced is stopping\n");
}

static void test_reload(void **state)
{
    static const char *const addresses[] = {"a:1", "b:1"};

    (void)state;
    api_configure("shop", addresses, 2);
    assert_int_equal(api_ask("POST", "/-/reload", NULL), 200);
    assert_int_equal(af.reloads, 1);
    assert_int_equal(json_integer_value(json_object_get(api_json(), "targets")), 2);
}

static void test_reload_refused(void **state)
{
    const json_t *details;

    (void)state;
    assert_int_equal(api_ask("POST", "/-/reload", "{\"x\": 1}"), 400); /* it takes no body */
    assert_int_equal(af.reloads, 0);

    af.reload = -EINVAL;
    af.reload_error = "unknown key `x`";
    assert_int_equal(api_ask("POST", "/-/reload", NULL), 400);
    assert_non_null(strstr(api_error(), "the old one stays"));
    details = json_object_get(api_json(), "details");
    assert_int_equal(json_array_size(details), 1);
    assert_string_equal(json_string_value(json_array_get(details, 0)),
                        "f.yaml:3:7: unknown key `x`");

    af.reload_error = NULL;
    af.reload = -EIO;
    assert_int_equal(api_ask("POST", "/-/reload", NULL), 500);
    assert_non_null(strstr(api_error(), "Input/output error"));
    af.reload = -ENOMEM;
    assert_int_equal(api_ask("POST", "/-/reload", NULL), 503);
    assert_int_equal(af.reloads, 3);

    af.stopping = true;
    assert_int_equal(api_ask("POST", "/-/reload", NULL), 503);
    assert_non_null(strstr(api_error(), "stopping"));
    assert_int_equal(af.reloads, 3);
}

/* What holds, as the answers tell it; NULL: nothing does. */
static void assert_suspended(const char *cause)
{
    const json_t *causes = json_object_get(api_json(), "causes");

    assert_int_equal(json_is_true(json_object_get(api_json(), "suspended")), cause != NULL);
    assert_int_equal(json_array_size(causes), cause ? 1 : 0);
    if (cause)
        assert_string_equal(json_string_value(json_array_get(causes, 0)), cause);
    assert_int_equal(suspension_active(af.context.suspension), cause != NULL);
}

static void test_suspend_and_resume(void **state)
{
    const char *text;

    (void)state;
    assert_int_equal(api_ask("POST", "/api/v1/suspend", "{\"reason\": \"load test\"}"), 200);
    assert_suspended("api");
    assert_true(suspension_cause(af.context.suspension, SUSPENDED_API, NULL, &text));
    assert_string_equal(text, "load test");
    assert_int_equal(api_ask("POST", "/api/v1/suspend", NULL), 200); /* again, without a reason */
    assert_suspended("api");
    assert_int_equal(api_ask("POST", "/api/v1/resume", NULL), 200);
    assert_suspended(NULL);
    assert_int_equal(api_ask("POST", "/api/v1/resume", NULL), 200); /* nothing to end */
    assert_suspended(NULL);
}

static void test_bad_bodies(void **state)
{
    (void)state;
    assert_int_equal(api_ask("POST", "/api/v1/suspend", "{\"raeson\": \"x\"}"), 400);
    assert_int_equal(api_ask("POST", "/api/v1/suspend", "no JSON"), 400);
    assert_true(api_error()[0] != '\0');
    assert_int_equal(api_ask("POST", "/api/v1/resume", "{\"reason\": \"x\"}"), 400);
    assert_false(suspension_active(af.context.suspension));
}

static void test_others(void **state)
{
    (void)state;
    assert_int_equal(api_ask("GET", "/metrics", NULL), 200);
    assert_int_equal(af.scrapes, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_setup, api_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_routes),     TEST(test_healthy),        TEST(test_ready),
        TEST(test_reload),     TEST(test_reload_refused), TEST(test_suspend_and_resume),
        TEST(test_bad_bodies), TEST(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
