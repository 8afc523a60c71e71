/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/hex.h"

static void test_digits(void **state)
{
    const unsigned char bytes[] = {0x00, 0x09, 0xaf, 0xff, 0x10};
    char out[2 * sizeof(bytes) + 1];

    (void)state;
    hex_encode(bytes, sizeof(bytes), out);
    assert_string_equal(out, "0009afff10");
    hex_encode(bytes, 0, out);
    assert_string_equal(out, "");
}

static void test_digit(void **state)
{
    (void)state;
    assert_int_equal(hex_digit('0'), 0);
    assert_int_equal(hex_digit('9'), 9);
    assert_int_equal(hex_digit('a'), 10);
    assert_int_equal(hex_digit('F'), 15);
    for (const char *c = "/:@G`g\x80"; *c; c++)
        assert_int_equal(hex_digit(*c), -1);
    assert_int_equal(hex_digit('\0'), -1);
}

static void test_sha256(void **state)
{
    char text[HEX_SHA256_SIZE + 1];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[HEX_SHA256_SIZE - 1] = '\0';
    assert_true(hex_is_sha256(text));
    text[7] = 'A'; /* a hash is written in lower case */
    assert_false(hex_is_sha256(text));
    text[7] = 'g';
    assert_false(hex_is_sha256(text));
    text[7] = '\0';
    assert_false(hex_is_sha256(text));
    assert_false(hex_is_sha256(""));
    assert_false(hex_is_sha256(NULL));
    memset(text, '0', sizeof(text));
    text[HEX_SHA256_SIZE] = '\0'; /* one too many */
    assert_false(hex_is_sha256(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_digit),
        cmocka_unit_test(test_sha256),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
