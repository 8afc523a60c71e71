/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/ask/capturing.h"

#define NOW (100 * USEC_PER_SEC)

static const char one[] =
    "[{\"service\": \"a\", \"job\": \"j\", \"target\": \"http://x:1/t\", \"address\": \"x:1\","
    "  \"in_flight\": {\"state\": \"STATE\", \"bytes\": 524288, \"seconds\": 2}}]";

/* STATE in the text stands for the word. */
static json_t *parsed(const char *text, const char *word)
{
    const char *at = strstr(text, "STATE");
    char whole[2048];
    json_t *list;

    if (at)
        (void)snprintf(whole, sizeof(whole), "%.*s%s%s", (int)(at - text), text, word,
                       at + strlen("STATE"));
    else
        (void)snprintf(whole, sizeof(whole), "%s", text);
    list = json_loads(whole, 0, NULL);
    assert_non_null(list);
    return list;
}

static const char *said(const char *text, const char *word, usec later, unsigned width)
{
    static char out[CAPTURING_TEXT_SIZE];
    const struct capturing_scope all = {0};
    struct capturing c = {0};
    json_t *list = parsed(text, word);

    capturing_count(&c, &all, list, NOW);
    json_decref(list);
    return capturing_text(&c, "a", NOW + later, width, out);
}

static void test_one_target(void **state)
{
    (void)state;
    assert_string_equal(said(one, "waiting", 0, 0), "a: waiting for its turn, 512KiB");
    assert_string_equal(said(one, "room", 0, 0), "a: waiting for its turn, 512KiB");
    assert_string_equal(said(one, "capturing", 1230000, 0), "a: capturing, 1.2 s of 2 s, 512KiB");
    assert_string_equal(said(one, "looking_up", 0, 0), "a: looking up the process, 512KiB");
    assert_string_equal(said(one, "publishing", 0, 0), "a: publishing, 512KiB");
    /* Cut to the terminal, the cursor's column left free. */
    assert_string_equal(said(one, "capturing", 0, 12), "a: capturin");
    assert_string_equal(said("[{\"in_flight\": null}]", "", 0, 0), "a: asked");
    assert_string_equal(said("[]", "", 0, 0), "a: asked");
    assert_string_equal(said("[7, null, {\"in_flight\": 3}]", "", 0, 0), "a: asked");
}

static void test_many_targets(void **state)
{
    static const char many[] =
        "[{\"in_flight\": {\"state\": \"capturing\", \"bytes\": 1048576, \"seconds\": 1.5}},"
        " {\"in_flight\": {\"state\": \"capturing\", \"bytes\": 1048576, \"seconds\": 2}},"
        " {\"in_flight\": {\"state\": \"waiting\", \"bytes\": 0, \"seconds\": 2}},"
        " {\"in_flight\": {\"state\": \"publishing\", \"bytes\": 1048576, \"seconds\": 2}},"
        " {\"in_flight\": null}]";

    (void)state;
    assert_string_equal(said(many, "", 500000, 0),
                        "a: 2 capturing, 1 waiting, 1 publishing of 5, 0.5 s of 2 s, 3.0MiB");
}

/* Time runs from where the first was seen, through all that is counted later. */
static void test_since(void **state)
{
    const struct capturing_scope all = {0};
    char out[CAPTURING_TEXT_SIZE];
    struct capturing c = {0};
    json_t *list = parsed(one, "capturing");

    (void)state;
    capturing_count(&c, &all, list, NOW);
    capturing_count(&c, &all, list, NOW + USEC_PER_SEC);
    assert_string_equal(capturing_text(&c, "a", NOW + USEC_PER_SEC, 0, out),
                        "a: capturing, 1.0 s of 2 s, 512KiB");
    json_decref(list);
}

static void test_who_is_meant(void **state)
{
    static const struct {
        struct capturing_scope scope;
        bool meant;
    } rows[] = {
        {{NULL, NULL, NULL}, true},  {{"http://x:1/t", NULL, NULL}, true},
        {{"x:1", NULL, NULL}, true}, {{"x:2", NULL, NULL}, false},
        {{NULL, "a", NULL}, true},   {{NULL, "b", NULL}, false},
        {{NULL, NULL, "j"}, true},   {{NULL, NULL, "a"}, false},
    };
    json_t *list = parsed(one, "waiting");

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct capturing c = {0};

        assert_int_equal(capturing_is_meant(&rows[i].scope, json_array_get(list, 0)),
                         rows[i].meant);
        capturing_count(&c, &rows[i].scope, list, NOW);
        assert_int_equal(c.targets, rows[i].meant);
        assert_int_equal(c.waiting, rows[i].meant);
    }
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_target),
        cmocka_unit_test(test_many_targets),
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_who_is_meant),
    };

    return cmocka_run_group_tests_name("capturing", tests, NULL, NULL);
}
