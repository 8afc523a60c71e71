/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "cli/ask/escape.h"
#include "cli/ask/fields.h"

static json_t *parsed(const char *text)
{
    json_t *o = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

    assert_non_null(o);
    return o;
}

static void test_text(void **state)
{
    json_t *o = parsed("{\"a\": \"plain ~\", \"b\": \"\\u001b[31m\\u00e9\\u0000x\\u007f\","
                       " \"c\": 7}");
    char out[FIELD_SIZE], long_text[2 * FIELD_SIZE];

    (void)state;
    assert_string_equal(field_text(o, "a", out), "plain ~");
    assert_string_equal(field_text(o, "b", out), "?[31m???x?");
    assert_string_equal(field_text(o, "c", out), "");
    assert_string_equal(field_text(o, "d", out), "");
    assert_string_equal(field_text(NULL, "a", out), "");
    assert_string_equal(field_text(json_object_get(o, "a"), "a", out), "");
    json_decref(o);
    memset(long_text, 'x', sizeof(long_text));
    assert_int_equal(strlen(field_plain(long_text, FIELD_SIZE - 1, out)), FIELD_SIZE - 1);
    assert_int_equal(out[FIELD_SIZE - 2], 'x');
    assert_int_equal(strlen(field_plain(long_text, FIELD_SIZE, out)), FIELD_SIZE - 1);
    assert_string_equal(out + FIELD_SIZE - 5, "x...");
}

static void test_numbers(void **state)
{
    json_t *o = parsed("{\"n\": 7, \"minus\": -7, \"real\": 1.5, \"text\": \"7\","
                       " \"most\": 9223372036854775807, \"yes\": true, \"no\": false,"
                       " \"time\": \"2026-03-14T09:26:53Z\", \"bad\": \"yesterday\"}");

    (void)state;
    assert_int_equal(field_count(o, "n"), 7);
    assert_int_equal(field_count(o, "minus"), 0);
    assert_int_equal(field_count(o, "real"), 0);
    assert_int_equal(field_count(o, "text"), 0);
    assert_true(field_count(o, "most") == INT64_MAX);
    assert_true(field_number(o, "n", -1) == 7);
    assert_true(field_number(o, "real", -1) == 1.5);
    assert_true(field_number(o, "minus", -1) == -1);
    assert_true(field_number(o, "text", -1) == -1);
    assert_true(field_number(NULL, "text", 3) == 3);
    assert_true(field_bool(o, "yes"));
    assert_false(field_bool(o, "no"));
    assert_false(field_bool(o, "n"));
    assert_int_equal(field_time(o, "time"), 1773480413 * USEC_PER_SEC);
    assert_int_equal(field_time(o, "bad"), 0);
    assert_int_equal(field_time(o, "n"), 0);
    json_decref(o);
}

static void test_escapes(void **state)
{
    const struct escape_pair pairs[] = {{"a", "x y&z=/+%"}, {"b", NULL}, {"c", "\xc3\xa9-._~9Z"}};
    struct buf b;

    (void)state;
    buf_init(&b, ESCAPE_MAX);
    assert_int_equal(escape_query(&b, pairs, 3), 0);
    assert_string_equal(buf_str(&b), "&a=x%20y%26z%3D%2F%2B%25&c=%C3%A9-._~9Z");
    buf_clear(&b);
    assert_int_equal(escape_add(&b, "a/b c", true), 0);
    assert_string_equal(buf_str(&b), "a/b%20c");
    buf_done(&b);
    buf_init(&b, 8);
    assert_true(escape_query(&b, pairs, 3) < 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_escapes),
    };

    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
