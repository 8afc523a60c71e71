/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/context.h"
#include "lib/record/record.h"

static const struct record_label labels[] = {{"env", "prod"}, {"zone", "eu"}};

static const struct record_count counts[] = {{"generations", 2}};

static struct record sample(void)
{
    return (struct record){
        .artifact = "trace",
        .service = "checkout",
        .host = "web-1",
        .pid = 4711,
        .target = "http://127.0.0.1:6060/debug/pprof/trace",
        .job = "checkout",
        .labels = labels,
        .n_labels = 2,
        .reason = "schedule",
        .start = 1773480413589000,
        .window = 1900 * USEC_PER_MSEC,
        .span = 1901234,
        .bytes = 123456,
        .sha256 = "00ff",
        .go_version = "1.26",
        .complete = true,
        .counts = counts,
        .n_counts = 1,
    };
}

static json_t *make(const struct record *r, char **ret_text)
{
    char *text = record_to_json(r);
    json_t *o;

    assert_non_null(text);
    o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    if (ret_text)
        *ret_text = text;
    else
        free(text);
    return o;
}

static const char *string_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* What the host knew stands in the record, and stays there when the label comes. */
static void test_context(void **state)
{
    struct record r = sample();
    struct context context, back;
    const struct record_amendment label = {.label = "idle", .latency = -1, .covered = -1};
    char *text, *amended;
    json_t *o;

    (void)state;
    context_init(&context);
    r.context = &context;
    o = make(&r, NULL);
    assert_null(json_object_get(o, "context"));
    json_decref(o);
    context.throttled_periods = 45;
    context.load = 3.1;
    (void)strcpy(context.level, "/shop \xff");
    o = make(&r, &text);
    assert_int_equal(json_integer_value(json_object_get(o, "bytes")), 123456);
    json_decref(o);
    assert_int_equal(context_parse(text, strlen(text), &back), 0);
    assert_int_equal(back.throttled_periods, 45);
    assert_int_equal(back.periods, CONTEXT_ABSENT);
    assert_string_equal(back.level, "/shop \\xff");
    assert_int_equal(record_amend(text, strlen(text), &label, RECORD_MAX, &amended), 0);
    assert_int_equal(context_parse(amended, strlen(amended), &back), 0);
    assert_int_equal(back.throttled_periods, 45);
    assert_non_null(strstr(amended, "\"label\": \"idle\""));
    free(text);
    free(amended);
}

/* Whatever cgroups are called, the trace has its record. */
static void test_context_of_any_length(void **state)
{
    struct record r = sample();
    struct context context, back;
    char *text;
    json_t *o;

    (void)state;
    memset(&context, 0x7f, sizeof(context));
    memset(context.level, '\001', sizeof(context.level) - 1);
    context.level[sizeof(context.level) - 1] = '\0';
    (void)strcpy(context.memory_level, context.level);
    r.context = &context;
    o = make(&r, &text);
    assert_int_equal(json_integer_value(json_object_get(o, "bytes")), 123456);
    json_decref(o);
    assert_int_equal(context_parse(text, strlen(text), &back), 0);
    assert_int_equal(back.throttled_periods, context.throttled_periods);
    free(text);
}

static void amend_within(const char *summary, size_t max, const char *expected)
{
    const struct record_amendment a = {.label = "idle", .summary = summary, .covered = -1};
    char *text;

    assert_int_equal(record_amend("{\"bytes\": 1}", 12, &a, max, &text), 0);
    assert_true(strlen(text) <= max);
    assert_string_equal(text, expected);
    free(text);
}

/* The outliers give way first, then what is longest, then the findings; never the label. */
static void test_amend_within(void **state)
{
    static const char summary[] = "{\"findings\": [{\"code\": \"idle\", \"evidence\": {}}],"
                                  " \"outliers\": {\"runs\": []},"
                                  " \"gc\": {\"a\": 1, \"b\": 2, \"c\": 3}, \"x\": 7}";
    const struct record_amendment a = {.label = "idle", .summary = summary, .covered = -1};
    char *all;
    size_t n;

    (void)state;
    assert_int_equal(record_amend("{\"bytes\": 1}", 12, &a, RECORD_MAX, &all), 0);
    n = strlen(all);
    amend_within(summary, n, all);
    free(all);
    amend_within(summary, n - 1,
                 "{\n  \"bytes\": 1,\n  \"label\": \"idle\",\n  \"summary\": {\n"
                 "    \"findings\": [\n      {\n        \"code\": \"idle\",\n"
                 "        \"evidence\": {}\n      }\n    ],\n"
                 "    \"gc\": {\n      \"a\": 1,\n      \"b\": 2,\n      \"c\": 3\n    },\n"
                 "    \"x\": 7\n  }\n}\n");
    amend_within(summary, 170,
                 "{\n  \"bytes\": 1,\n  \"label\": \"idle\",\n  \"summary\": {\n"
                 "    \"findings\": [\n      {\n        \"code\": \"idle\",\n"
                 "        \"evidence\": {}\n      }\n    ],\n    \"x\": 7\n  }\n}\n");
    amend_within(summary, 100, "{\n  \"bytes\": 1,\n  \"label\": \"idle\"\n}\n");
    assert_int_equal(record_amend("{\"bytes\": 1}", 12, &a, 20, &all), -E2BIG);
}

static void test_complete(void **state)
{
    struct record r = sample();
    char *text;
    json_t *o = make(&r, &text);

    (void)state;
    assert_string_equal(string_of(o, "artifact"), "trace");
    assert_string_equal(string_of(o, "service"), "checkout");
    assert_string_equal(string_of(o, "host"), "web-1");
    assert_int_equal(json_integer_value(json_object_get(o, "pid")), 4711);
    assert_string_equal(string_of(o, "target"), r.target);
    assert_string_equal(string_of(o, "job"), "checkout");
    assert_string_equal(string_of(json_object_get(o, "labels"), "env"), "prod");
    assert_string_equal(string_of(json_object_get(o, "labels"), "zone"), "eu");
    assert_string_equal(string_of(o, "reason"), "schedule");
    assert_string_equal(string_of(o, "start"), "2026-03-14T09:26:53.589Z");
    assert_int_equal(json_integer_value(json_object_get(o, "bytes")), 123456);
    assert_string_equal(string_of(o, "sha256"), "00ff");
    assert_string_equal(string_of(o, "go_version"), "1.26");
    assert_true(json_is_true(json_object_get(o, "complete")));
    assert_null(json_object_get(o, "truncated"));
    assert_int_equal(json_integer_value(json_object_get(o, "generations")), 2);
    assert_non_null(string_of(o, "contraced_version"));
    assert_non_null(strstr(text, "\"seconds\": 1.9,"));
    assert_int_equal(text[strlen(text) - 1], '\n');
    json_decref(o);
    free(text);
}

static void test_truncated(void **state)
{
    struct record r = sample();
    json_t *o, *truncated;

    (void)state;
    r.complete = false;
    r.received = 200000;
    r.truncated_by = "size_limit";
    r.pid = 0;
    r.go_version = NULL;
    r.n_labels = 0;
    o = make(&r, NULL);
    truncated = json_object_get(o, "truncated");
    assert_true(json_is_false(json_object_get(o, "complete")));
    assert_int_equal(json_integer_value(json_object_get(truncated, "received")), 200000);
    assert_string_equal(string_of(truncated, "by"), "size_limit");
    assert_null(json_object_get(o, "pid"));
    assert_null(json_object_get(o, "go_version"));
    assert_int_equal(json_object_size(json_object_get(o, "labels")), 0);
    json_decref(o);
}

/* A profile: another kind, other numbers, and nothing of Go's version. */
static void test_another_kind(void **state)
{
    static const struct record_count samples[] = {{"samples", 0}};
    struct record r = sample();
    json_t *o;

    (void)state;
    r.artifact = "mutex";
    r.go_version = NULL;
    r.counts = samples;
    o = make(&r, NULL);
    assert_string_equal(string_of(o, "artifact"), "mutex");
    assert_true(json_is_integer(json_object_get(o, "samples")));
    assert_int_equal(json_integer_value(json_object_get(o, "samples")), 0);
    assert_null(json_object_get(o, "generations"));
    assert_null(json_object_get(o, "go_version"));
    json_decref(o);
    assert_true(r.complete);
    for (int complete = 0; complete <= 1; complete++) {
        r.since_start = true; /* so it is not of the window */
        r.complete = complete;
        o = make(&r, NULL);
        assert_true(json_is_null(json_object_get(o, "seconds")));
        assert_true(json_is_real(json_object_get(o, "requested_seconds")));
        json_decref(o);
    }
    r.window = 0; /* a snapshot */
    o = make(&r, NULL);
    assert_true(json_is_null(json_object_get(o, "seconds")));
    assert_null(json_object_get(o, "requested_seconds"));
    json_decref(o);
    r.since_start = false; /* one that says how long it is */
    r.span = USEC_PER_SEC;
    o = make(&r, NULL);
    assert_true(json_number_value(json_object_get(o, "seconds")) == 1);
    assert_null(json_object_get(o, "requested_seconds"));
    json_decref(o);
}

static void test_bytes_that_are_not_utf8(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc3", "\xef\xbf\xbd"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* too large */
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_label label = {cases[i].in, cases[i].in};
        struct record r = sample();
        json_t *o;

        r.target = cases[i].in;
        r.labels = &label;
        r.n_labels = 1;
        o = make(&r, NULL);
        assert_string_equal(string_of(o, "target"), cases[i].out);
        assert_string_equal(string_of(json_object_get(o, "labels"), cases[i].out), cases[i].out);
        json_decref(o);
    }
}

/* `seconds` is what a trace spans when that is less than what was asked for. */
static void test_short(void **state)
{
    struct record r = sample();
    json_t *o;
    char *text;

    (void)state;
    r.complete = false;
    r.truncated_by = "short";
    r.span = 500912;
    o = make(&r, &text);
    assert_non_null(strstr(text, "\"seconds\": 0.500912,\n  \"requested_seconds\": 1.9,"));
    assert_true(json_is_false(json_object_get(o, "complete")));
    assert_string_equal(string_of(json_object_get(o, "truncated"), "by"), "short");
    free(text);
    json_decref(o);
    r.span = 0; /* not known */
    o = make(&r, &text);
    assert_non_null(strstr(text, "\"seconds\": 1.9,\n  \"requested_seconds\": 1.9,"));
    free(text);
    json_decref(o);
}

static void test_extremes(void **state)
{
    struct record r = sample();
    json_t *o;

    (void)state;
    r.bytes = UINT64_MAX;
    r.window = r.span = UINT64_MAX;
    r.start = UINT64_MAX;
    r.target = NULL;
    r.sha256 = "\"\\\n\x01";
    o = make(&r, NULL);
    assert_true(json_integer_value(json_object_get(o, "bytes")) == INT64_MAX);
    assert_string_equal(string_of(o, "sha256"), r.sha256);
    json_decref(o);
}

static int annotation(const char *text, struct record_annotation *ret)
{
    return record_annotation(text, strlen(text), ret);
}

/* What retention compares: the share of goroutine time that was lost, else the score. */
static void test_severity_and_incident(void **state)
{
#define FINDINGS(text) ", \"summary\": {\"window_ns\": 1000, \"findings\": [" text "]}}"
    static const struct {
        const char *json;
        double severity;
    } cases[] = {
        {"{\"label\": \"stuck-proc\"" FINDINGS(
             "{\"code\": \"gc-pressure\", \"lost_ns\": 9000}, "
             "{\"code\": \"stuck-proc\", \"lost_ns\": 2500, \"score\": 1}"),
         2.5},
        {"{\"label\": \"goroutine-leak\"" FINDINGS(
             "{\"code\": \"goroutine-leak\", \"lost_ns\": 0, \"score\": 0.5}"),
         0.5},
        {"{\"label\": \"stuck-proc\"" FINDINGS("{\"code\": \"stuck-proc\", \"lost_ns\": \"x\"}"),
         1e-6},
        {"{\"label\": \"stuck-proc\"}", 1e-6},
        {"{\"label\": \"healthy\"" FINDINGS("{\"code\": \"healthy\", \"score\": 1}"), 0},
        {"{\"label\": \"not-inspected\", \"not_inspected\": \"timeout\"}", 0},
        {"{}", 0},
    };
    struct record_annotation a;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(annotation(cases[i].json, &a), 0);
        assert_true(a.severity == cases[i].severity);
        assert_int_equal(a.incident, 0);
    }
    assert_int_equal(annotation("{\"incident\": \"cart/a/20260314/092653-7\"}", &a), 0);
    assert_int_equal(a.incident / USEC_PER_SEC, 1773480413);
    assert_int_equal(annotation("{\"incident\": \"../../etc\"}", &a), 0);
    assert_int_equal(a.incident, 0);
}

static void test_annotation(void **state)
{
    static const char *const no_labels[] = {"{}", "{\"label\": 7}", "{\"label\": \"Not one\"}",
                                            "{\"label\": \"\"}", "{\"summary\": []}"};
    struct record_annotation a;

    (void)state;
    assert_int_equal(annotation("{\"label\": \"gc-pressure\", \"summary\": {\"scheduler\": "
                                "{\"latency\": {\"p99_ns\": 81920}}}}",
                                &a),
                     0);
    assert_string_equal(a.label, "gc-pressure");
    assert_true(a.latency == 81920);
    assert_int_equal(
        annotation("{\"summary\": {\"scheduler\": {\"latency\": {\"p99_ns\": 1e300}}}}", &a), 0);
    assert_true(a.latency < 0); /* more than any trace spans, and than a float holds */
    assert_true(a.covered < 0);
    assert_int_equal(annotation("{\"label\": \"not-inspected\", \"not_inspected\": \"partial\", "
                                "\"covered\": 0.25, \"summary\": {\"scheduler\": "
                                "{\"latency\": {\"p99_ns\": 81920}}}}",
                                &a),
                     0);
    assert_true(a.covered == 0.25);
    assert_true(a.latency < 0);
    for (size_t i = 0; i < sizeof(no_labels) / sizeof(no_labels[0]); i++) {
        assert_int_equal(annotation(no_labels[i], &a), 0);
        assert_string_equal(a.label, "");
        assert_true(a.latency < 0);
    }
    assert_int_equal(annotation("[]", &a), -EINVAL);
    assert_int_equal(annotation("", &a), -EINVAL);
}

static void test_covered(void **state)
{
    struct record_amendment a = {
        .label = "not-inspected", .not_inspected = "partial", .summary = "{}", .covered = 0.99999};
    char *text;

    (void)state;
    assert_int_equal(record_amend("{}", 2, &a, RECORD_MAX, &text), 0);
    assert_non_null(strstr(text, "\"not_inspected\": \"partial\",\n  \"covered\": 0.9999,"));
    free(text);
    a.covered = -1;
    assert_int_equal(record_amend("{\"covered\": 0.5}", 16, &a, RECORD_MAX, &text), 0);
    assert_null(strstr(text, "covered"));
    free(text);
}

/* What belongs to an incident says so, and which rule asked; all others say nothing of it. */
static void test_incident(void **state)
{
    const struct record_trigger trigger = {"slow-scheduler", 0.25, INFINITY, "share", "25% of 956"};
    const struct record_progress progress = {
        .takes = 1u << KIND_TRACE | 1u << KIND_HEAP,
        .without = {[KIND_HEAP] = "missing"},
        .joined = {"trigger:other"},
    };
    struct record r = sample();
    json_t *o = make(&r, NULL), *t;

    (void)state;
    assert_null(json_object_get(o, "incident"));
    assert_null(json_object_get(o, "trigger"));
    json_decref(o);
    r.incident = "checkout/web-1/20260314/092653-4711";
    r.trigger = &trigger;
    r.progress = &progress;
    o = make(&r, NULL);
    assert_string_equal(string_of(o, "incident"), r.incident);
    t = json_object_get(o, "trigger");
    assert_string_equal(string_of(t, "rule"), "slow-scheduler");
    assert_true(json_number_value(json_object_get(t, "value")) == 0.25);
    assert_true(json_is_null(json_object_get(t, "threshold")));
    assert_string_equal(string_of(t, "unit"), "share");
    assert_string_equal(string_of(t, "text"), "25% of 956");
    t = json_object_get(o, "incident_so_far");
    assert_int_equal(json_array_size(json_object_get(t, "artifacts")), 2);
    assert_int_equal(json_object_size(json_object_get(t, "without")), 1);
    assert_string_equal(string_of(json_object_get(t, "without"), "heap"), "missing");
    assert_string_equal(json_string_value(json_array_get(json_object_get(t, "joined"), 0)),
                        "trigger:other");
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incident),
        cmocka_unit_test(test_amend_within),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_context_of_any_length),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_another_kind),
        cmocka_unit_test(test_bytes_that_are_not_utf8),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_annotation),
        cmocka_unit_test(test_severity_and_incident),
        cmocka_unit_test(test_covered),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
