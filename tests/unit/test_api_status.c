/* SPDX-License-Identifier: Apache-2.0 */

/* GET /api/v1/status: every part as it is, and what is not there as null. */

#include "tests/support/api_fixture.h"

#include <string.h>
#include <unistd.h>

static const json_t *status(void)
{
    assert_int_equal(api_ask("GET", "/api/v1/status", NULL), 200);
    return api_json();
}

/* Member "a.b.c" of the status. */
static const json_t *at(const char *path)
{
    const json_t *v = api_json();
    char copy[128], *rest = NULL;

    (void)snprintf(copy, sizeof(copy), "%s", path);
    for (char *name = strtok_r(copy, ".", &rest); name; name = strtok_r(NULL, ".", &rest))
        v = json_object_get(v, name);
    if (!v)
        fail_msg("no %s in %s", path, af.text);
    return v;
}

static void test_at_the_start(void **state)
{
    (void)state;
    (void)status();
    assert_string_equal(json_string_value(at("start")), "2026-03-14T09:26:53.000Z");
    assert_string_equal(json_string_value(at("host")), "thishost");
    assert_int_equal(json_integer_value(at("pid")), getpid());
    assert_string_equal(json_string_value(at("config.file")), "/etc/c.yaml");
    assert_true(json_is_null(at("config.last_reload")));
    assert_int_equal(json_array_size(at("suspended.causes")), 0);
    assert_int_equal(json_integer_value(at("targets.total")), 0);
    assert_int_equal(json_object_size(at("captures.by_result")), 0);
    assert_true(json_is_null(at("captures.last_success")));
    assert_int_equal(json_integer_value(at("spool.archive.files")), 0);
    assert_true(json_is_null(at("spool.oldest")));
    assert_true(json_is_false(at("spool.refusing")));
    assert_true(json_is_null(at("upload"))); /* no upload.url */
    assert_true(json_is_true(at("inspections.enabled")));
    af.config_file = NULL;
    (void)status();
    assert_true(json_is_null(at("config.file"))); /* the command line alone */
}

static void test_what_happened(void **state)
{
    static const char *const addresses[] = {"a:1", "b:1", "c:1"};

    (void)state;
    api_configure("shop", addresses, 3);
    af.failing = 2;
    af.counters.captures[OUTCOME_OK] = 12;
    af.counters.captures[OUTCOME_TIMEOUT] = 1;
    af.counters.bytes = 4711;
    af.counters.last_success = START;
    af.counters.inspections[INSPECTION_CRASHED] = 3;
    capture_many(2, 100);
    (void)status();
    assert_int_equal(json_integer_value(at("targets.total")), 3);
    assert_int_equal(json_integer_value(at("targets.failing")), 2);
    assert_int_equal(json_integer_value(at("captures.by_result.ok")), 12);
    assert_int_equal(json_integer_value(at("captures.by_result.timeout")), 1);
    assert_int_equal(json_object_size(at("captures.by_result")),
                     2); /* what never was is left out */
    assert_int_equal(json_integer_value(at("captures.bytes")), 4711);
    assert_string_equal(json_string_value(at("captures.last_success")), "2026-03-14T09:26:53.000Z");
    assert_int_equal(json_integer_value(at("inspections.by_result.crashed")), 3);
    assert_int_equal(json_integer_value(at("spool.pending.files")), 2);
    assert_string_equal(json_string_value(at("spool.oldest")), "2026-03-14T09:26:53.000Z");
    assert_string_equal(json_string_value(at("spool.newest")), "2026-03-14T09:27:53.000Z");
    assert_true(json_integer_value(at("spool.total_bytes")) > 0);
}

static void test_settings(void **state)
{
    (void)state;
    af.config->storage.max_age = 0;
    af.config->inspect.enabled = false;
    af.config->upload.url = strdup("s3://bucket/prefix");
    (void)status();
    assert_true(json_is_null(at("spool.max_age_seconds"))); /* no limit */
    assert_true(json_is_false(at("inspections.enabled")));
    assert_string_equal(json_string_value(at("upload.to")), "s3://bucket/prefix");
    assert_int_equal(json_object_size(at("upload.by_result")), 0);
    af.config->storage.max_age = USEC_PER_DAY;
    (void)status();
    assert_int_equal(json_number_value(at("spool.max_age_seconds")), 86400);
}

static void test_suspended(void **state)
{
    const json_t *cause;

    (void)state;
    assert_int_equal(api_ask("POST", "/api/v1/suspend", "{\"reason\": \"a drill\"}"), 200);
    (void)status();
    assert_int_equal(json_array_size(at("suspended.causes")), 1);
    cause = json_array_get(at("suspended.causes"), 0);
    assert_string_equal(json_string_value(json_object_get(cause, "cause")), "api");
    assert_string_equal(json_string_value(json_object_get(cause, "text")), "a drill");
    assert_true(json_is_string(json_object_get(cause, "since")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_setup, api_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_at_the_start),
        TEST(test_what_happened),
        TEST(test_settings),
        TEST(test_suspended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
