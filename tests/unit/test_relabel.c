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

#include "lib/relabel/regex.h"
#include "lib/relabel/relabel.h"
#include "tests/support/text.h"

#define RULES_MAX 8

static const char *fixture; /* NULL: the one that is kept */

static enum relabel_action action_of(const char *name)
{
    unsigned a = 0;

    while (name && strcmp(relabel_action_name(a), name) != 0)
        a++;
    return a;
}

static char *text_of(const json_t *rule, const char *key)
{
    return TEXT(json_string_value(json_object_get(rule, key)));
}

static int make_rule(const json_t *rule, struct relabel_rule **ret)
{
    const json_t *sources = json_object_get(rule, "source_labels");
    char *names[8];
    struct relabel_spec spec = {
        .action = action_of(text_of(rule, "action")),
        .source_labels = sources ? names : NULL,
        .n_source_labels = json_array_size(sources),
        .separator = text_of(rule, "separator"),
        .regex = text_of(rule, "regex"),
        .target_label = text_of(rule, "target_label"),
        .replacement = text_of(rule, "replacement"),
        .modulus = (uint64_t)json_integer_value(json_object_get(rule, "modulus")),
    };
    struct relabel_fault fault = {0};
    int r;

    assert_true(spec.n_source_labels <= 8);
    for (size_t i = 0; i < spec.n_source_labels; i++)
        names[i] = TEXT(json_string_value(json_array_get(sources, i)));
    r = relabel_rule_new(&spec, ret, &fault);
    assert_true(r == 0 || (r == -EINVAL && fault.why[0]));
    return r;
}

/* The result, as the fixture has it. */
static json_t *judge(const json_t *test)
{
    struct relabel_rule *rules[RULES_MAX] = {0};
    const json_t *specs = json_object_get(test, "rules");
    struct labelset *ls = labelset_new();
    json_t *result = json_object(), *labels = json_object(), *value;
    const char *name;
    size_t n = 0, which = 0;
    int r = 0;

    assert_non_null(ls);
    assert_true(json_array_size(specs) <= RULES_MAX);
    for (; r == 0 && n < json_array_size(specs); n++)
        r = make_rule(json_array_get(specs, n), &rules[n]);
    json_object_foreach(json_object_get(test, "labels"), name, value)
        labelset_set(ls, name, json_string_value(value));
    if (r < 0) {
        json_object_set_new(result, "invalid", json_true());
        json_object_set_new(result, "keep", json_false());
    } else {
        r = relabel_apply(rules, n, ls, &which);
        assert_true(r >= 0);
        json_object_set_new(result, "keep", json_boolean(r > 0));
        for (size_t i = 0; r > 0 && i < labelset_count(ls); i++)
            json_object_set_new(labels, labelset_at(ls, i).name,
                                json_string(labelset_at(ls, i).value));
        if (r > 0 && json_object_size(labels) > 0)
            json_object_set(result, "result", labels);
    }
    json_decref(labels);
    labelset_free(ls);
    for (size_t i = 0; i < RULES_MAX; i++)
        relabel_rule_free(rules[i]);
    return result;
}

/* tests/support/reference/relabel makes the fixture: Prometheus itself says what is right. */
static void test_as_prometheus(void **state)
{
    const char *dir = getenv("CONTRACE_SRC_DIR");
    char path[4096], line[16384];
    size_t n = 0, wrong = 0, valid = 0;
    FILE *f;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tests/unit/fixtures/relabel.jsonl", dir ? dir : ".");
    f = fopen(fixture ? fixture : path, "re");
    assert_non_null(f);
    for (; fgets(line, sizeof(line), f); n++) {
        json_t *test = json_loads(line, 0, NULL), *expected, *result;

        assert_non_null(test);
        expected = json_deep_copy(test);
        json_object_del(expected, "labels");
        json_object_del(expected, "rules");
        if (json_object_size(json_object_get(expected, "result")) == 0)
            json_object_del(expected, "result");
        result = judge(test);
        valid += !json_object_get(expected, "invalid");
        if (!json_equal(result, expected)) {
            char *got = json_dumps(result, JSON_COMPACT);

            print_error("line %zu: %sgot %s\n", n + 1, line, got);
            free(got);
            wrong++;
        }
        json_decref(test);
        json_decref(expected);
        json_decref(result);
    }
    (void)fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(valid > 500 && n - valid > 100);
}

/* An expression that PCRE2 would try for years. */
static void test_steps(void **state)
{
    char text[64], why[REGEX_WHY_MAX];
    struct regex *re;

    (void)state;
    memset(text, 'a', sizeof(text) - 2);
    text[sizeof(text) - 2] = '!';
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(regex_new("(?:a+)+[bc]", &re, why), 0);
    assert_int_equal(regex_match(re, text), -ELOOP);
    assert_int_equal(regex_match(re, "aab"), 1);
    regex_free(re);
}

static int apply_once(struct relabel_spec spec, struct labelset *ls)
{
    struct relabel_fault fault;
    struct relabel_rule *rule;
    size_t which;
    int r;

    assert_int_equal(relabel_rule_new(&spec, &rule, &fault), 0);
    r = relabel_apply(&rule, 1, ls, &which);
    relabel_rule_free(rule);
    return r;
}

/* What one rule makes longer than it may be is no result. */
static void test_bounds(void **state)
{
    char *sources[] = {TEXT("a"), TEXT("a")}, long_text[RELABEL_VALUE_MAX];
    struct labelset *ls = labelset_new();
    struct relabel_spec spec = {
        .source_labels = sources, .n_source_labels = 2, .target_label = TEXT("b")};

    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    labelset_set(ls, "a", long_text);
    assert_int_equal(apply_once(spec, ls), -E2BIG);
    spec.n_source_labels = 1;
    assert_int_equal(apply_once(spec, ls), 1);
    assert_string_equal(labelset_get(ls, "b"), long_text);
    for (size_t i = 0; labelset_error(ls) == 0; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "n%zu", i);
        labelset_set(ls, name, long_text);
        assert_true(i < LABELSET_MAX);
    }
    assert_int_equal(apply_once(spec, ls), -E2BIG);
    labelset_clear(ls);
    for (size_t i = 0; i <= LABELSET_MAX; i++) {
        char name[32];

        assert_int_equal(labelset_error(ls), 0);
        (void)snprintf(name, sizeof(name), "n%zu", i);
        labelset_set(ls, name, "x");
    }
    assert_int_equal(labelset_error(ls), -E2BIG);
    assert_int_equal(labelset_count(ls), LABELSET_MAX);
    labelset_free(ls);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_prometheus),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_bounds),
    };

    if (argc > 1)
        fixture = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
