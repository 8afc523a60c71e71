/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/label/digest.h"

static int parse(const char *text, struct digest *d)
{
    memset(d, 0, sizeof(*d));
    return digest_parse(text, strlen(text), d);
}

/* The summary that comes of this text, compact. */
static void assert_summary(const char *text, const char *expected)
{
    struct digest d;
    json_t *o;
    char *compact;

    assert_int_equal(parse(text, &d), 0);
    assert_true(strlen(d.summary) <= DIGEST_MAX);
    o = json_loads(d.summary, 0, NULL);
    assert_non_null(o);
    compact = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));
    assert_string_equal(compact, expected);
    free(compact);
    json_decref(o);
    digest_done(&d);
}

static void test_what_is_kept(void **state)
{
    (void)state;
    assert_summary("{\"schema\":1,\"label\":\"idle\"}", "{\"schema\":1,\"findings\":[]}");
    assert_summary(
        "{\"schema\":1,\"format\":26,\"complete\":true,\"gc\":{\"cycles\":3,\"share\":0.25,"
        "\"rows\":[{\"a\":1}],\"none\":null},\"procs\":[],\"go\":\"1.26\","
        "\"findings\":[{\"code\":\"gc-pressure\",\"score\":0.5,\"evidence\":{\"x\":1},"
        "\"sites\":[\"main.f\"],\"next\":\"Look\"},{\"code\":\"BAD CODE\"},7],"
        "\"label\":\"gc-pressure\"}",
        "{\"schema\":1,\"format\":26,\"complete\":true,\"gc\":{\"cycles\":3,"
        "\"share\":0.25},\"go\":\"1.26\",\"findings\":[{\"code\":\"gc-pressure\","
        "\"score\":0.5,\"evidence\":{\"x\":1}}]}");
}

/* The first call site of a finding: the program's own code, where it is told. */
static void test_site(void **state)
{
    (void)state;
    assert_summary(
        "{\"schema\":1,\"label\":\"gc-pressure\",\"findings\":[{\"code\":\"gc-pressure\",\"sites\":["
        "{\"func\":\"sql.conn\",\"file\":\"sql.go\",\"line\":7,\"count\":1,"
        "\"own\":{\"func\":\"main.f\",\"file\":\"main.go\",\"line\":3}},{\"func\":\"main.g\"}]}]}",
        "{\"schema\":1,\"findings\":[{\"code\":\"gc-pressure\","
        "\"site\":{\"func\":\"main.f\",\"file\":\"main.go\",\"line\":3}}]}");
    assert_summary(
        "{\"schema\":1,\"label\":\"gc-pressure\",\"findings\":["
        "{\"code\":\"gc-pressure\",\"sites\":[{\"func\":\"sql.conn\",\"file\":[],\"own\":{}}]},"
        "{\"code\":\"lock-contention\",\"sites\":[{\"func\":\"\"}]}]}",
        "{\"schema\":1,\"findings\":[{\"code\":\"gc-pressure\",\"site\":{\"func\":\"sql.conn\"}},"
        "{\"code\":\"lock-contention\"}]}");
}

static double latency(const char *scheduler)
{
    struct digest d;
    char text[200];
    double value;

    (void)snprintf(text, sizeof(text), "{\"schema\":1,\"label\":\"idle\",\"scheduler\":%s}",
                   scheduler);
    assert_int_equal(parse(text, &d), 0);
    value = d.latency;
    digest_done(&d);
    return value;
}

static void test_covered(void **state)
{
    struct digest d;

    (void)state;
    assert_int_equal(parse("{\"schema\":1,\"label\":\"idle\",\"covered\":0.95}", &d), 0);
    assert_true(d.covered > 0.94 && d.covered < 0.96);
    assert_string_equal(d.why, "");
    digest_done(&d);
    assert_int_equal(parse("{\"schema\":1,\"label\":\"idle\"}", &d), 0);
    assert_true(d.covered < 0); /* of an earlier version */
    digest_done(&d);
    assert_int_equal(parse("{\"schema\":1,\"label\":\"idle\",\"covered\":7}", &d), 0);
    assert_true(d.covered < 0);
    digest_done(&d);
}

/* The numbers are kept; what would be read as if it were of the whole is not. */
static void test_no_label(void **state)
{
    struct digest d;

    (void)state;
    assert_int_equal(parse("{\"schema\":1,\"label\":\"not-inspected\",\"not_inspected\":"
                           "\"partial\",\"covered\":0.0149,\"window_ns\":29800000,"
                           "\"scheduler\":{\"latency\":{\"p99_ns\":5}}}",
                           &d),
                     0);
    assert_string_equal(d.label, "not-inspected");
    assert_string_equal(d.why, "partial");
    assert_true(d.covered > 0.01 && d.covered < 0.02 && d.latency < 0);
    assert_non_null(strstr(d.summary, "29800000"));
    assert_false(digest_alarming(&d));
    digest_done(&d);
    assert_int_equal(parse("{\"schema\":1,\"label\":\"not-inspected\"}", &d), -EINVAL);
    assert_int_equal(parse("{\"schema\":1,\"label\":\"not-inspected\",\"not_inspected\":"
                           "\"Not a word\"}",
                           &d),
                     -EINVAL);
}

static void test_latency(void **state)
{
    (void)state;
    assert_true(latency("{\"latency\":{\"p99_ns\":81920}}") == 81920);
    assert_true(latency("{\"latency\":{\"p99_ns\":0}}") == 0);
    assert_true(latency("{\"latency\":{\"p99_ns\":-5}}") == -1);
    assert_true(latency("{\"latency\":{\"p99_ns\":1e300}}") == -1);
    assert_true(latency("{\"latency\":{\"p99_ns\":\"7\"}}") == -1);
    assert_true(latency("{\"latency\":7}") == -1);
    assert_true(latency("[]") == -1);
}

static void test_label_and_evidence(void **state)
{
    struct digest d;

    (void)state;
    assert_int_equal(parse("{\"schema\":1,\"label\":\"lock-contention\",\"findings\":[{\"code\":"
                           "\"lock-contention\",\"score\":0.75,\"evidence\":{\"share\":0.4123,"
                           "\"waits\":1200,\"where\":\"main.lock\",\"list\":[],\"a\":1,\"b\":2}}]}",
                           &d),
                     0);
    assert_string_equal(d.label, "lock-contention");
    assert_true(d.score > 0.74 && d.score < 0.76);
    assert_string_equal(d.evidence, "share 0.412, waits 1200, where main.lock, a 1");
    assert_true(digest_alarming(&d));
    digest_done(&d);
    assert_int_equal(parse("{\"schema\":1,\"label\":\"healthy\",\"findings\":{}}", &d), 0);
    assert_false(digest_alarming(&d));
    assert_string_equal(d.evidence, "");
    digest_done(&d);
    assert_int_equal(parse("{\"schema\":1,\"label\":\"idle\",\"findings\":[8]}", &d), 0);
    assert_false(digest_alarming(&d));
    digest_done(&d);
    digest_done(&d);
}

static void test_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "null",
        "7",
        "[]",
        "{}",
        "{\"schema\":1}",
        "{\"label\":\"idle\"}",
        "{\"schema\":2,\"label\":\"idle\"}",
        "{\"schema\":\"1\",\"label\":\"idle\"}",
        "{\"schema\":1,\"label\":7}",
        "{\"schema\":1,\"label\":\"\"}",
        "{\"schema\":1,\"label\":\"Idle\"}",
        "{\"schema\":1,\"label\":\"a b\"}",
        "{\"schema\":1,\"label\":\"a\\r\\nX: y\"}",
        "{\"schema\":1,\"label\":\"a\\u0000b\"}",
        "{\"schema\":1,\"label\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
        "{\"schema\":1,\"label\":\"idle\"",
        "{\"schema\":1,\"label\":\"idle\"} x",
        "{\"schema\":1,\"label\":\"\xff\"}",
    };
    struct digest d;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (parse(wrong[i], &d) != -EINVAL)
            fail_msg("%s", wrong[i]);
    }
}

/* Too long: the largest members go first, the findings last. */
static void test_outliers(void **state)
{
    (void)state;
    assert_summary(
        "{\"schema\":1,\"label\":\"idle\",\"outliers\":{\"tasks\":[{\"at_ns\":5,\"duration_ns\":70,"
        "\"g\":null,\"type\":\"a\\u001bb\",\"func\":\"\",\"line\":-3,\"open\":true,"
        "\"at_start\":false,\"task\":9,\"parent\":\"x\",\"evil\":1,\"ids\":{\"span_id\":\"1f\","
        "\"other\":\"2\"},\"work\":{\"running_ns\":4,\"syscall_ns\":0,\"waits_ns\":{\"sync\":6,"
        "\"\\u0007\":7,\"none\":0}}}],\"made up\":[{\"at_ns\":1}],\"runs\":[],\"pauses\":7,"
        "\"waits\":{\"lock\":[{\"duration_ns\":4},{\"duration_ns\":3},{\"duration_ns\":2},"
        "{\"duration_ns\":1}],\"call\":[7]},\"standing\":{\"channel\":3}}}",
        "{\"schema\":1,\"findings\":[],\"outliers\":{\"tasks\":[{\"at_ns\":5,\"duration_ns\":70,"
        "\"task\":9,\"type\":\"a?b\",\"open\":true,\"ids\":{\"span_id\":\"1f\"},"
        "\"work\":{\"running_ns\":4,\"waits_ns\":{\"sync\":6}}}],"
        "\"waits\":{\"lock\":[{\"duration_ns\":4},{\"duration_ns\":3},{\"duration_ns\":2}]}}}");
    assert_summary("{\"schema\":1,\"label\":\"idle\",\"outliers\":[1]}",
                   "{\"schema\":1,\"findings\":[]}");
    assert_summary("{\"schema\":1,\"label\":\"idle\",\"outliers\":{\"runs\":[]}}",
                   "{\"schema\":1,\"findings\":[]}");
}

/* A summary with so many other members, and ten outliers of each of seven kinds. */
static void build_long(struct buf *b, size_t members)
{
    static const char *const kinds[] = {"lock", "call", "request", "channel", "network", "unknown"};

    buf_clear(b);
    (void)buf_adds(b, "{\"schema\":1,\"label\":\"idle\",\"n\":{\"m\":1");
    for (size_t i = 0; i < members; i++)
        (void)buf_addf(b, "%s\"member_%zu\":\"%0110d\"", i == 50 ? "},\"o\":{" : ",", i, 0);
    (void)buf_adds(b, "},\"outliers\":{\"tasks\":[");
    for (size_t i = 0; i < 10; i++)
        (void)buf_addf(b, "%s{\"type\":\"%0110d\",\"func\":\"%0110d\"}", i ? "," : "", 1, 2);
    (void)buf_adds(b, "],\"waits\":{");
    for (size_t kind = 0; kind < 6; kind++) {
        (void)buf_addf(b, "%s\"%s\":[", kind ? "," : "", kinds[kind]);
        for (size_t i = 0; i < 10; i++)
            (void)buf_addf(b, "%s{\"func\":\"%0110d\",\"file\":\"%0110d\"}", i ? "," : "", 1, 2);
        (void)buf_adds(b, "]");
    }
    (void)buf_adds(b, "}}}");
}

/* Where there is no room for three of each kind there may be for fewer; nothing else is left out
 * for them. */
static void test_fewer_outliers(void **state)
{
    static const size_t members[] = {86, 72, 58, 20}; /* by how many of each there is room for */
    struct digest d;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (size_t most = 0; most <= 3; most++) {
        json_t *o;

        build_long(&b, members[most]);
        assert_int_equal(parse(buf_str(&b), &d), 0);
        assert_true(strlen(d.summary) <= DIGEST_MAX);
        o = json_loads(d.summary, 0, NULL);
        assert_int_equal(json_object_size(json_object_get(o, "n")) +
                             json_object_size(json_object_get(o, "o")),
                         members[most] + 1);
        assert_int_equal(json_array_size(json_object_get(json_object_get(o, "outliers"), "tasks")),
                         most);
        json_decref(o);
        digest_done(&d);
    }
    buf_done(&b);
}

static void test_bounded(void **state)
{
    struct digest d;
    struct buf b;
    json_t *o;

    (void)state;
    buf_init(&b, 1 << 20);
    (void)buf_adds(&b, "{\"schema\":1,\"label\":\"syscall-storm\",\"small\":{\"n\":1}");
    for (int i = 0; i < 10; i++) {
        (void)buf_addf(&b, ",\"m%d\":{", i);
        for (int k = 0; k < 60; k++)
            (void)buf_addf(&b, "%s\"number_%d\":%d", k ? "," : "", k, k * (i + 1) * 1000);
        (void)buf_adds(&b, "}");
    }
    (void)buf_adds(&b, ",\"findings\":[{\"code\":\"syscall-storm\",\"score\":1}]}");
    assert_int_equal(parse(buf_str(&b), &d), 0);
    assert_true(strlen(d.summary) <= DIGEST_MAX);
    o = json_loads(d.summary, 0, NULL);
    assert_non_null(json_object_get(o, "findings"));
    assert_non_null(json_object_get(o, "small"));
    assert_non_null(json_object_get(o, "m0"));
    assert_null(json_object_get(o, "m9"));
    json_decref(o);
    digest_done(&d);

    /* Findings alone may be too long. */
    buf_clear(&b);
    (void)buf_adds(&b, "{\"schema\":1,\"label\":\"idle\",\"findings\":[");
    for (int i = 0; i < 16; i++) {
        (void)buf_addf(&b, "%s{\"code\":\"c\",\"evidence\":{", i ? "," : "");
        for (int k = 0; k < 60; k++)
            (void)buf_addf(&b, "%s\"n%d\":%d", k ? "," : "", k, k);
        (void)buf_adds(&b, "}}");
    }
    (void)buf_adds(&b, "]}");
    assert_int_equal(parse(buf_str(&b), &d), 0);
    assert_true(strlen(d.summary) <= DIGEST_MAX);
    assert_null(strstr(d.summary, "findings"));
    digest_done(&d);
    buf_done(&b);
}

static void test_deep_and_wide(void **state)
{
    struct digest d;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    (void)buf_adds(&b, "{\"schema\":1,\"label\":\"idle\",\"deep\":");
    for (int i = 0; i < 100000; i++)
        (void)buf_adds(&b, "[");
    assert_int_equal(parse(buf_str(&b), &d), -EINVAL);
    buf_clear(&b);
    (void)buf_adds(&b, "{\"schema\":1,\"label\":\"idle\"");
    for (int i = 0; i < 10000; i++)
        (void)buf_addf(&b, ",\"n%d\":%d", i, i);
    (void)buf_adds(&b, ",\"deep\":");
    for (int i = 0; i < 1000; i++)
        (void)buf_adds(&b, "{\"a\":");
    (void)buf_adds(&b, "1");
    for (int i = 0; i < 1000; i++)
        (void)buf_adds(&b, "}");
    (void)buf_adds(&b, "}");
    assert_int_equal(parse(buf_str(&b), &d), 0);
    assert_non_null(strstr(d.summary, "\"n1\""));
    assert_null(strstr(d.summary, "\"n100\""));
    digest_done(&d);
    buf_done(&b);
}

static const struct growth grown = {
    .from = 9102, .to = 16312, .samples = 4, .over = 900 * USEC_PER_SEC, .score = 0.6};

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no %s in %s", part, text);
}

/* What grew over several samples becomes the label where that says that nothing is wrong, and is
 * told in any case. */
static void test_growth(void **state)
{
    struct digest d;

    (void)state;
    assert_int_equal(parse("{\"schema\":1,\"label\":\"idle\",\"window_ns\":5}", &d), 0);
    assert_int_equal(digest_add_growth(&d, &grown), 0);
    assert_string_equal(d.label, "goroutine-leak");
    assert_string_equal(d.evidence, "9102 goroutines became 16312 over 4 samples");
    assert_true(digest_alarming(&d));
    assert_has(d.summary, "\"window_ns\": 5");
    assert_has(d.summary, "\"code\": \"goroutine-leak\"");
    assert_has(d.summary, "\"goroutines_first\": 9102");
    assert_has(d.summary, "\"samples_over_s\": 900");
    digest_done(&d);

    assert_int_equal(parse("{\"schema\":1,\"label\":\"gc-pressure\",\"findings\":["
                           "{\"code\":\"gc-pressure\",\"score\":0.7,\"evidence\":{\"x\":1}}]}",
                           &d),
                     0);
    assert_int_equal(digest_add_growth(&d, &grown), 0);
    assert_string_equal(d.label, "gc-pressure");
    assert_string_equal(d.evidence, "x 1");
    assert_has(d.summary, "\"goroutines_last\": 16312");
    digest_done(&d);

    /* The label is the first finding's code: notes stand behind it. */
    assert_int_equal(parse("{\"schema\":1,\"label\":\"healthy\",\"findings\":["
                           "{\"code\":\"short-sleeps\",\"score\":0,\"evidence\":{}}]}",
                           &d),
                     0);
    assert_int_equal(digest_add_growth(&d, &grown), 0);
    assert_string_equal(d.label, "goroutine-leak");
    assert_true(strstr(d.summary, "goroutine-leak") < strstr(d.summary, "short-sleeps"));
    digest_done(&d);
}

/* One sample showed the leak already: the evidence joins what it has. */
static void test_growth_joins(void **state)
{
    struct digest d;
    char *first;

    (void)state;
    assert_int_equal(parse("{\"schema\":1,\"label\":\"goroutine-leak\",\"findings\":["
                           "{\"code\":\"goroutine-leak\",\"score\":0.7,\"evidence\":"
                           "{\"created\":1000}}]}",
                           &d),
                     0);
    assert_int_equal(digest_add_growth(&d, &grown), 0);
    first = strstr(d.summary, "\"code\": \"goroutine-leak\"");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"code\""));
    assert_has(d.summary, "\"created\": 1000");
    assert_has(d.summary, "\"samples\": 4");
    digest_done(&d);
}

#define GROWING(func, created, ended)                                                              \
    "{\"schema\":1,\"label\":\"idle\",\"goroutines\":{\"at_end\":42,\"growing\":{\"func\":\"" func \
    "\",\"line\":7,\"created\":" created ",\"ended\":" ended "}}}"

static uint64_t growing(const char *text)
{
    struct digest d;
    uint64_t value;

    assert_int_equal(parse(text, &d), 0);
    assert_true(d.goroutines > 41.9 && d.goroutines < 42.1);
    value = d.growing;
    digest_done(&d);
    return value;
}

static void test_goroutines(void **state)
{
    struct digest d;

    (void)state;
    assert_int_equal(growing(GROWING("main.f", "9", "1")), growing(GROWING("main.f", "8", "7")));
    assert_true(growing(GROWING("main.f", "9", "1")) != growing(GROWING("main.g", "9", "1")));
    assert_true(growing(GROWING("main.f", "9", "1")) != 0);
    assert_int_equal(growing(GROWING("main.f", "9", "9")), 0); /* all have ended */
    assert_int_equal(parse("{\"schema\":1,\"label\":\"idle\"}", &d), 0);
    assert_true(d.goroutines < 0); /* of an earlier version */
    digest_done(&d);
    assert_int_equal(
        parse("{\"schema\":1,\"label\":\"idle\",\"goroutines\":{\"at_end\":1e300}}", &d), 0);
    assert_true(d.goroutines < 0); /* no whole number holds it */
    assert_int_equal(d.growing, 0);
    digest_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_site),
        cmocka_unit_test(test_label_and_evidence),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_deep_and_wide),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_covered),
        cmocka_unit_test(test_no_label),
        cmocka_unit_test(test_outliers),
        cmocka_unit_test(test_fewer_outliers),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_growth_joins),
        cmocka_unit_test(test_goroutines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
