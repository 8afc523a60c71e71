/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/value/expression.h"

static const char document[] =
    "{\"label\": \"lock-contention\", \"complete\": true, \"cycles\": 3, \"p99_ns\": 60000000,"
    " \"idle_share\": 0.25, \"heap_max_bytes\": 4194304, \"none\": null,"
    " \"regions\": [{\"type\": \"db.query\", \"max_ns\": 70000000}],"
    " \"findings\": [{\"code\": \"lock-contention\", \"score\": 0.8}]}";

static json_t *json;

static int setup(void **state)
{
    (void)state;
    json = json_loads(document, 0, NULL);
    return json ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(json);
    return 0;
}

static enum expression_truth judge(const char *text, struct expression_seen *seen)
{
    struct expression_error error;
    struct expression *e;
    enum expression_truth truth;

    if (expression_parse(text, &error, &e) != 0)
        fail_msg("%s: %s at %zu", text, error.text, error.at);
    truth = expression_judge(e, json, seen);
    expression_free(e);
    return truth;
}

#define T EXPRESSION_TRUE
#define F EXPRESSION_FALSE
#define A EXPRESSION_ABSENT

static void test_judge(void **state)
{
    static const struct {
        const char *text;
        enum expression_truth truth;
    } rows[] = {
        {"p99_ns > 50ms", T},
        {"p99_ns>60ms", F},
        {"p99_ns >= 60ms", T},
        {"p99_ns < 60ms", F},
        {"p99_ns <= 60ms", T},
        {"p99_ns == 60000000", T},
        {"p99_ns != 60ms", F},
        {"idle_share > 20%", T},
        {"heap_max_bytes > 4MiB", F},
        {"heap_max_bytes > 4MB", T},
        {"cycles > -1", T},
        {"regions[\"db.query\"].max_ns > 50ms", T},
        {"findings[0].score >= 0.8", T},
        {"label == \"lock-contention\"", T},
        {"label == 'healthy'", F},
        {"label = lock-contention", T},
        {"label in [lock-contention, gc-pressure]", T},
        {"label not in [lock-contention, gc-pressure]", F},
        {"label in ['healthy']", F},
        {"cycles in [1, 2, 3]", T},
        {"complete", T},
        {"not complete", F},
        {"complete == false", F},
        {"complete != false", T},
        {"cycles == 3 and complete", T},
        {"cycles == 4 or complete", T},
        {"cycles == 4 or cycles == 5 and complete", F},
        {"(cycles == 3 or cycles == 5) and !complete", F},
        {"cycles == 3 && complete || none > 1", T},
        /* What is absent, and where it does not matter. */
        {"none > 1", A},
        {"not none > 1", A},
        {"regions[\"other\"].max_ns > 1", A},
        {"none > 1 and cycles == 3", A},
        {"none > 1 and cycles == 4", F},
        {"none > 1 or cycles == 3", T},
        {"none > 1 or cycles == 4", A},
        {"label in [a]or complete", T},
    };
    struct expression_seen seen[EXPRESSION_COMPARISONS_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (judge(rows[i].text, seen) != rows[i].truth)
            fail_msg("%s is %d", rows[i].text, (int)judge(rows[i].text, seen));
    }
}

static void test_seen(void **state)
{
    struct expression_seen seen[EXPRESSION_COMPARISONS_MAX];

    (void)state;
    assert_int_equal(judge("p99_ns > 1ms or none > 1 or nothing == 1 or label > 3", seen), T);
    assert_int_equal(seen[0].met, EXPRESSION_COMPARED);
    assert_true(json_number_value(seen[0].value) > 0);
    assert_int_equal(seen[1].met, EXPRESSION_NOTHING);
    assert_null(seen[1].value);
    assert_int_equal(seen[2].met, EXPRESSION_UNKNOWN);
    assert_int_equal(seen[3].met, EXPRESSION_UNFIT);
}

static void test_unfit(void **state)
{
    static const char *const rows[] = {
        "label > 3",        "cycles == healthy",     "cycles > 5ms",
        "p99_ns > 5%",      "p99_ns > 5MiB",         "label",
        "complete > true",  "complete == 1",         "regions == 3",
        "findings == text", "label in [healthy, 3]",
    };
    struct expression_seen seen[EXPRESSION_COMPARISONS_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (judge(rows[i], seen) != A || seen[0].met != EXPRESSION_UNFIT)
            fail_msg("%s is compared", rows[i]);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        size_t at;
    } rows[] = {
        {"", 0},           {"a >", 3},          {"a > 5msx", 4},
        {"a == 'x", 5},    {"a in healthy", 5}, {"a in [x", 7},
        {"a in [x y]", 8}, {"a in []", 6},      {"(a > 1", 6},
        {"a > 1)", 5},     {"a > 1 b > 2", 6},  {"a > 1 and", 9},
        {"> 1", 0},        {"a[x] > 1", 0},     {"a == \"x\\", 5},
    };
    struct expression_error error;
    struct expression *e;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (expression_parse(rows[i].text, &error, &e) != -EINVAL || error.at != rows[i].at ||
            error.text[0] == '\0')
            fail_msg("%s: '%s' at %zu", rows[i].text, error.text, error.at);
    }
}

/* What is repeated n times, and one more piece. */
static int parse_many(const char *piece, size_t n, const char *last)
{
    char *text = calloc(1, n * strlen(piece) + strlen(last) + 1);
    struct expression_error error;
    struct expression *e;
    int r;

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        strcat(text, piece);
    r = expression_parse(strcat(text, last), &error, &e);
    if (r == 0)
        expression_free(e);
    free(text);
    return r;
}

static void test_bounds(void **state)
{
    (void)state;
    assert_int_equal(parse_many("a > 1 or ", EXPRESSION_COMPARISONS_MAX - 1, "a"), 0);
    assert_int_equal(parse_many("a > 1 or ", EXPRESSION_COMPARISONS_MAX, "a"), -EINVAL);
    assert_int_equal(parse_many("not ", EXPRESSION_DEPTH_MAX - 1, "a"), 0);
    assert_int_equal(parse_many("not ", EXPRESSION_DEPTH_MAX, "a"), -EINVAL);
    assert_int_equal(parse_many("(", 2000, "a"), -EINVAL);
    assert_int_equal(parse_many(" ", EXPRESSION_TEXT_MAX - 2, "a"), 0);
    assert_int_equal(parse_many(" ", EXPRESSION_TEXT_MAX - 1, "a"), -EINVAL);
    assert_int_equal(parse_many("not not not a or ", EXPRESSION_COMPARISONS_MAX - 1, "a"), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),   cmocka_unit_test(test_seen),   cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
