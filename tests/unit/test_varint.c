/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "trace/common/varint.h"

/* The encoding of a number in at least `width` bytes, padded with zero groups. */
static size_t encode(uint8_t *p, uint64_t v, size_t width)
{
    size_t n = 0;

    for (; v >= 0x80 || n + 1 < width; v >>= 7)
        p[n++] = (uint8_t)(v | 0x80);
    p[n++] = (uint8_t)v;
    return n;
}

static void check(uint64_t v, size_t width)
{
    uint8_t bytes[10 + VARINT_PADDING];
    size_t n;
    const uint8_t *end;
    uint64_t got;

    memset(bytes, 0xff, sizeof(bytes));
    n = encode(bytes, v, width);
    end = bytes + n;
    got = ~v;
    assert_ptr_equal(varint_get(bytes, end, &got), end);
    assert_true(got == v);
    for (size_t cut = 0; cut < n; cut++)
        assert_null(varint_get(bytes, bytes + cut, &got));
    for (int way = 0; way < 3; way++) {
        got = ~v;
        assert_ptr_equal(way == 0   ? varint_padded(bytes, &got, &end)
                         : way == 1 ? varint_small(bytes, &got, &end)
                                    : varint_four(bytes, &got, &end),
                         bytes + n);
        assert_true(got == v);
        assert_ptr_equal(end, bytes + n);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (size_t width = 1; width <= 10; width++) {
            check((1ULL << bit) - 1, width);
            check(1ULL << bit, width);
            check(0x5a5a5a5a5a5a5a5aULL >> bit, width);
        }
    check(UINT64_MAX, 1);
}

static void test_skip(void **state)
{
    uint8_t bytes[32];

    (void)state;
    for (size_t a = 1; a < 8; a++) {
        for (size_t b = 1; b < 8; b++) {
            for (size_t c = 1; c < 8; c++) {
                memset(bytes, 0xff, sizeof(bytes));
                bytes[a - 1] = bytes[a + b - 1] = bytes[a + b + c - 1] = 1;
                assert_ptr_equal(varint_skip_three(bytes),
                                 a + b + c <= 8 ? bytes + a + b + c : NULL);
            }
        }
    }
}

static void test_too_long(void **state)
{
    static const uint8_t more_bits[20] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    static const uint8_t more_bytes[20] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                           0x80, 0x80, 0x80, 0x80, 0};
    const uint8_t *const rows[] = {more_bits, more_bytes};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *end = rows[i] + 20;
        uint64_t v;

        assert_null(varint_get(rows[i], end, &v));
        assert_true(varint_padded(rows[i], &v, &end) > end);
        assert_null(end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests_name("varint", tests, NULL, NULL);
}
