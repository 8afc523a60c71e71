/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/utf8.h"

/* The bytes of a code point; 0 for those that have none. */
static size_t encode(uint32_t c, char out[static UTF8_MAX])
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(n == 1 ? c : ((0xf00U >> n) & 0xff) | c);
    return n;
}

static void test_every_character(void **state)
{
    char text[UTF8_MAX];

    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        size_t n = encode(c, text);

        if (n == 0)
            continue;
        assert_int_equal(utf8_length(text, UTF8_MAX), n);
        assert_int_equal(utf8_length(text, n), n);
        assert_int_equal(utf8_length(text, n - 1), 0);
    }
}

/* Of all sequences of three bytes, only those are characters that a character encodes to. */
static void test_nothing_else(void **state)
{
    unsigned found[UTF8_MAX] = {0};

    (void)state;
    for (uint32_t i = 0; i < 1U << 24; i++) {
        char text[] = {(char)(i >> 16), (char)(i >> 8), (char)i};

        found[utf8_length(text, sizeof(text))]++;
    }
    assert_int_equal(found[1], 0x80 << 16);
    assert_int_equal(found[2], (0x800 - 0x80) << 8);
    assert_int_equal(found[3], 0x10000 - 0x800 - 0x800);
}

/* Each of these is followed by what must not be read: a string's end. */
static void test_broken(void **state)
{
    static const char *const texts[] = {
        "\x80",
        "\xbf",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xc3",
        "\xe2\x82",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x92",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(utf8_length(texts[i], UTF8_MAX), 0);
        assert_int_equal(utf8_length(texts[i], strlen(texts[i])), 0);
    }
    assert_int_equal(utf8_length(UTF8_REPLACEMENT, UTF8_MAX), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
