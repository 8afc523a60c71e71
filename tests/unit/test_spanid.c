/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "trace/trees/spanid.h"

static struct spanid read_id(const char *text)
{
    struct spanid id;

    assert_true(spanid_read(text, &id));
    return id;
}

static void test_what_is_an_id(void **state)
{
    struct spanid id;
    char text[SPANID_MAX + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[SPANID_MAX] = '\0';
    assert_true(spanid_read(text, &id));
    text[SPANID_MAX] = 'a';
    text[SPANID_MAX + 1] = '\0';
    assert_false(spanid_read(text, &id));
    assert_false(spanid_read("", &id));
    assert_false(spanid_read("a b", &id));
    assert_false(spanid_read("a\n", &id));
}

static void test_traceparent(void **state)
{
    struct spanid id = read_id("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

    (void)state;
    assert_string_equal(id.text, "b7ad6b7169203331");
    assert_true(id.is_hex);
    assert_int_equal(id.hex, 0xb7ad6b7169203331);
    /* What only looks like one is taken as it is. */
    id = read_id("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01");
    assert_int_equal(id.n, 55);
}

static bool is_in(const char *id, const char *text)
{
    struct spanid read = read_id(id);

    return spanid_is_in(&read, text, strlen(text));
}

static void test_words(void **state)
{
    (void)state;
    assert_true(is_in("b7ad", "b7ad"));
    assert_true(is_in("b7ad", "00-0af7-B7AD-01"));
    assert_true(is_in("B7AD", "span=b7ad;"));
    assert_true(is_in("b7ad", "xb7ad b7ad"));
    assert_false(is_in("b7ad", "xb7ad"));
    assert_false(is_in("b7ad", "b7ad0"));
    assert_false(is_in("b7ad", "b7a"));
    assert_false(is_in("b7ad", ""));
}

static bool is_logged(const char *id, const char *category, const char *message, size_t n)
{
    struct spanid read = read_id(id);

    return spanid_is_logged(&read, category, strlen(category), message, n);
}

/* Eight bytes, the least first: 0x0807060504030201. */
static void test_binary(void **state)
{
    static const char bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const char *const category = "datadog.uint64_span_id";
    uint64_t value;

    (void)state;
    assert_true(is_logged("0807060504030201", category, bytes, 8));
    assert_true(is_logged("578437695752307201", category, bytes, 8));
    assert_false(is_logged("0807060504030202", category, bytes, 8));
    assert_false(is_logged("0807060504030201", "step", bytes, 8));
    assert_false(is_logged("0807060504030201", category, bytes, 7));
    assert_true(is_logged("0807060504030201", category, "0807060504030201", 16));
    assert_true(spanid_binary(category, strlen(category), bytes, 8, &value));
    assert_int_equal(value, 0x0807060504030201);
    assert_false(spanid_binary("x", 1, bytes, 8, &value));
}

/* Sixteen digits may be either; twenty are no number of 64 bits. */
static void test_numbers(void **state)
{
    struct spanid id = read_id("1234567890123456");

    (void)state;
    assert_true(id.is_hex && id.is_decimal);
    assert_int_equal(id.decimal, 1234567890123456);
    assert_int_equal(id.hex, 0x1234567890123456);
    assert_true(read_id("18446744073709551615").is_decimal);
    assert_true(read_id("0").is_decimal);
    assert_false(read_id("0000000000000012").is_decimal);
    assert_false(read_id("00-0af7651916cd43dd8448eb211c80319c-1234567890123456-01").is_decimal);
    assert_false(read_id("18446744073709551616").is_decimal);
    assert_false(read_id("12a").is_hex || read_id("12a").is_decimal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_an_id), cmocka_unit_test(test_traceparent),
        cmocka_unit_test(test_words),         cmocka_unit_test(test_binary),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
