/* SPDX-License-Identifier: Apache-2.0 */

/*
 * POST /api/v1/capture: who is meant, what is answered, and what the allowance refuses. Nobody
 * listens at the targets, so that every capture ends soon and without a trace.
 */

#include "tests/support/api_fixture.h"

#include <stdlib.h>
#include <string.h>

#define CAPTURE "/api/v1/capture"

/* Ports from 1 on, which belong to root and to nobody here. */
static const char *const addresses[] = {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"};

static int setup(void **state)
{
    int r = api_setup(state);

    api_configure("shop", addresses, 3);
    return r;
}

static size_t count(const char *name)
{
    return json_array_size(json_object_get(api_json(), name));
}

static const char *text_of(size_t i, const char *name)
{
    const json_t *captures = json_object_get(api_json(), "captures");

    return json_string_value(json_object_get(json_array_get(captures, i), name));
}

static void test_who_is_meant(void **state)
{
    static const struct {
        const char *body;
        size_t n;
    } cases[] = {
        {"{\"target\": \"127.0.0.1:2\"}", 1},
        {"{\"target\": \"http://127.0.0.1:3/debug/pprof/trace\"}", 1},
        {"{\"service\": \"shop\", \"seconds\": 0.5}", 3},
        {"{\"job\": \"shop\", \"seconds\": 0.5}", 3},
        {"{\"all\": true, \"seconds\": 0.5, \"reason\": \"a drill\"}", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(api_ask("POST", CAPTURE, cases[i].body), 202);
        assert_int_equal(count("captures"), cases[i].n);
        assert_string_equal(text_of(0, "service"), "shop");
        assert_string_equal(text_of(0, "job"), "shop");
        assert_null(text_of(0, "outcome")); /* nobody waits for it */
    }
    assert_false(pipeline_idle(af.context.pipeline));
}

static void test_nobody_is_meant(void **state)
{
    (void)state;
    assert_int_equal(api_ask("POST", CAPTURE, "{\"service\": \"shpo\"}"), 404);
    assert_string_equal(api_error(), "no service `shpo` is configured; there is shop");
    assert_int_equal(api_ask("POST", CAPTURE, "{\"target\": \"127.0.0.1:9\"}"), 404);
    assert_non_null(strstr(api_error(), "http://127.0.0.1:1/debug/pprof/trace, http://127"));
    api_configure("shop", addresses, 0);
    assert_int_equal(api_ask("POST", CAPTURE, "{\"all\": true}"), 404);
    assert_non_null(strstr(api_error(), "no targets yet"));
    assert_true(pipeline_idle(af.context.pipeline));
}

static void test_bad_bodies(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"target\": 1}",
                                      "{\"tarket\": \"a\"}",
                                      "{\"all\": true, \"job\": \"shop\"}",
                                      "{\"all\": true, \"seconds\": 31}"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(api_ask("POST", CAPTURE, bad[i]), 400);
        assert_true(api_error()[0] != '\0');
    }
    assert_true(pipeline_idle(af.context.pipeline));
}

static void test_waits_for_the_ends(void **state)
{
    (void)state;
    assert_int_equal(api_ask("POST", CAPTURE, "{\"all\": true, \"wait\": true}"), 0);
    assert_int_equal(api_wait(), 502); /* not one was taken */
    assert_int_equal(count("captures"), 3);
    assert_int_equal(strncmp(api_error(), "no trace was taken: ", 20), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(text_of(i, "outcome"));
        assert_string_not_equal(text_of(i, "outcome"), "ok");
        assert_null(text_of(i, "key"));
    }
}

/* Without `artifact` a job without traces has its other artifact taken, and the error says so. */
static void test_job_without_traces(void **state)
{
    (void)state;
    af.artifacts = 1u << KIND_MUTEX;
    api_configure("locks", addresses, 1);
    assert_int_equal(api_ask("POST", CAPTURE, "{\"all\": true, \"wait\": true}"), 0);
    assert_int_equal(api_wait(), 502);
    assert_string_equal(text_of(0, "artifact"), "mutex");
    assert_int_equal(strncmp(api_error(), "no mutex profile was taken: ", 28), 0);
}

static void test_leaves_before_the_end(void **state)
{
    (void)state;
    assert_int_equal(api_ask("POST", CAPTURE, "{\"all\": true, \"wait\": true}"), 0);
    api_leave();
    while (!pipeline_idle(af.context.pipeline))
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
    assert_int_equal(af.answers, 0);
}

/* Six seconds at once, and what is asked for at the same time is one capture. */
static void test_allowance(void **state)
{
    unsigned n = 0, status;

    (void)state;
    for (status = 202; status == 202; n++) {
        status = api_ask("POST", CAPTURE,
                         "{\"target\": \"127.0.0.1:1\", \"seconds\": 6, \"wait\": true}");
        if (status == 0) {
            (void)api_wait();
            status = 202;
        }
    }
    assert_int_equal(status, 429);
    assert_int_equal(n, 2);
    assert_non_null(strstr(api_error(), "captured too often"));
    assert_true(atoi(af.retry_after) > 0);
    /* The others have theirs. */
    assert_int_equal(api_ask("POST", CAPTURE, "{\"all\": true, \"seconds\": 6}"), 202);
    assert_int_equal(count("captures"), 2);
    assert_int_equal(count("limited"), 1);
}

/* Those whose job does not say where the artifact is are told of, and the others are captured. */
static void test_placeless(void **state)
{
    struct target *t = targets_at(af.context.targets, 0);
    struct target_job *job = t->job, other = *job;
    const json_t *one;

    (void)state;
    other.paths[KIND_MUTEX] = NULL;
    t->job = &other;
    assert_int_equal(api_ask("POST", CAPTURE, "{\"all\": true, \"artifact\": \"mutex\"}"), 202);
    t->job = job;
    assert_int_equal(count("captures"), 2);
    assert_int_equal(count("placeless"), 1);
    one = json_array_get(json_object_get(api_json(), "placeless"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "target")), t->shown);
    assert_string_equal(json_string_value(json_object_get(one, "artifact")), "mutex");
    assert_int_equal(api_ask("POST", CAPTURE, "{\"all\": true}"), 202);
    assert_null(json_object_get(api_json(), "placeless"));
}

static void test_stopping(void **state)
{
    (void)state;
    pipeline_drain(af.pipeline);
    assert_int_equal(api_ask("POST", CAPTURE, "{\"all\": true}"), 503);
    assert_non_null(strstr(api_error(), "stopping"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, api_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_who_is_meant),       TEST(test_nobody_is_meant),
        TEST(test_bad_bodies),         TEST(test_waits_for_the_ends),
        TEST(test_job_without_traces), TEST(test_leaves_before_the_end),
        TEST(test_allowance),          TEST(test_stopping),
        TEST(test_placeless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
