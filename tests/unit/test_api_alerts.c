/* SPDX-License-Identifier: Apache-2.0 */

/* POST /api/v1/alerts: whom an alert means, and what is told of the others. */

#include "tests/support/api_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALERTS "/api/v1/alerts"
#define ONE(labels) "{\"alerts\": [{\"status\": \"firing\", \"labels\": {" labels "}}]}"

static const char *const addresses[] = {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.2:1"};

static int setup(void **state)
{
    int r = api_setup(state);

    api_configure("shop", addresses, 3);
    return r;
}

static const json_t *list(const char *name)
{
    return json_object_get(api_json(), name);
}

static const char *why(void)
{
    const char *text =
        json_string_value(json_object_get(json_array_get(list("ignored"), 0), "why"));

    return text ? text : "";
}

static void test_who_is_meant(void **state)
{
    static const struct {
        const char *body;
        size_t n;
    } cases[] = {
        {ONE("\"alertname\": \"A\", \"service\": \"shop\""), 3},
        {ONE("\"alertname\": \"A\", \"job\": \"shop\""), 3},
        {ONE("\"alertname\": \"A\", \"job\": \"shop\", \"instance\": \"127.0.0.1:2\""), 1},
        /* another port: all of that host */
        {ONE("\"alertname\": \"A\", \"job\": \"shop\", \"instance\": \"127.0.0.1:9100\""), 2},
        {ONE("\"alertname\": \"A\", \"service\": \"unknown\", \"job\": \"shop\""), 3},
        {ONE("\"alertname\": \"A\", \"job\": \"shop\", \"instance\": \"elsewhere:1\""), 0},
        {ONE("\"alertname\": \"A\""), 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(api_ask("POST", ALERTS, cases[i].body), 200);
        assert_int_equal(json_array_size(list("captures")), cases[i].n);
        assert_int_equal(json_array_size(list("ignored")), cases[i].n == 0 ? 1 : 0);
        if (cases[i].n > 0)
            assert_string_equal(
                json_string_value(json_object_get(json_array_get(list("captures"), 0), "alert")),
                "A");
    }
}

static void test_nobody_is_meant(void **state)
{
    (void)state;
    assert_int_equal(api_ask("POST", ALERTS, ONE("\"job\": \"cart\"")), 200);
    assert_string_equal(why(), "no target is configured of the job `cart`");
    assert_int_equal(api_ask("POST", ALERTS, ONE("\"alertname\": \"A\"")), 200);
    assert_string_equal(why(), "it has neither a label `service` nor `job`");
    assert_true(logged("1 of 1 alerts of a notification have no target"));
}

/* Two alerts of one notification mean the same: one capture. */
static void test_once_for_a_notification(void **state)
{
    static const char both[] =
        "{\"alerts\": [{\"status\": \"firing\", \"labels\": {\"job\": \"shop\"}},"
        " {\"status\": \"firing\", \"labels\": {\"service\": \"shop\"}}]}";

    (void)state;
    assert_int_equal(api_ask("POST", ALERTS, both), 200);
    assert_int_equal(json_array_size(list("captures")), 3);
    assert_int_equal(json_array_size(list("ignored")), 0);
}

/* Alertmanager throws an answer away that is an error, so the log has it, and not each time. */
static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(api_ask("POST", ALERTS, "no JSON"), 400);
    assert_int_equal(api_ask("POST", ALERTS, "{\"alerts\": 1}"), 400);
    assert_int_equal(af.counters.alerts_refused, 2);
    assert_int_equal(times_logged("a notification of alerts was refused"), 1);
}

static void test_too_many(void **state)
{
    char *body = NULL;
    size_t n;
    FILE *out = open_memstream(&body, &n);

    (void)state;
    assert_non_null(out);
    (void)fprintf(out, "{\"alerts\": [");
    for (unsigned i = 0; i < 105; i++)
        (void)fprintf(out, "%s{\"status\": \"firing\", \"labels\": {\"job\": \"cart\"}}",
                      i > 0 ? "," : "");
    (void)fprintf(out, "]}");
    assert_int_equal(fclose(out), 0);
    assert_int_equal(api_ask("POST", ALERTS, body), 200);
    free(body);
    assert_int_equal(json_array_size(list("ignored")), 101);
    assert_non_null(strstr(af.text, "5 more: of a notification 100 alerts are looked at"));
}

static void test_stopping(void **state)
{
    (void)state;
    pipeline_drain(af.pipeline);
    assert_int_equal(api_ask("POST", ALERTS, ONE("\"job\": \"shop\"")), 503);
    assert_non_null(strstr(api_error(), "send it again"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, api_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_who_is_meant), TEST(test_nobody_is_meant), TEST(test_once_for_a_notification),
        TEST(test_refused),      TEST(test_too_many),        TEST(test_stopping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
