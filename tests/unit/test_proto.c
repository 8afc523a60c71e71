/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/export/proto.h"

static struct proto proto;

static int setup(void **state)
{
    (void)state;
    proto_init(&proto);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proto_done(&proto);
    return 0;
}

static void is(const char *bytes, size_t n)
{
    assert_int_equal(proto.error, 0);
    assert_int_equal(proto.n, n);
    assert_memory_equal(proto.data, bytes, n);
    proto_clear(&proto);
}

#define IS(text) is(text, sizeof(text) - 1)

/* The examples of protobuf.dev's page on encoding, and the bounds. */
static void test_numbers(void **state)
{
    (void)state;
    proto_number(&proto, 1, 150);
    IS("\x08\x96\x01");
    proto_number(&proto, 15, 0);
    IS("\x78\x00");
    proto_number(&proto, 16, 127);
    IS("\x80\x01\x7f");
    proto_number(&proto, 2, (uint64_t)-2);
    IS("\x10\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    proto_number(&proto, 135, 1U << 14);
    IS("\xb8\x08\x80\x80\x01");
}

static void test_texts(void **state)
{
    (void)state;
    proto_text(&proto, 2, "testing", 7);
    IS("\x12\x07testing");
    proto_text(&proto, 2, "", 0);
    IS("\x12\x00");
    proto_text(&proto, 1, "a\xc3\xa9\xff\xe2\x82", 6);
    IS("\x0a\x0c"
       "a\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    proto_bytes(&proto, 3, "\xff\x00\x01", 3);
    IS("\x1a\x03\xff\x00\x01");
}

/* A message's length may need more bytes than were kept for it. */
static void test_messages(void **state)
{
    char text[20000];

    (void)state;
    proto_begin(&proto, 3);
    proto_number(&proto, 1, 150);
    proto_begin(&proto, 4);
    proto_end(&proto);
    proto_end(&proto);
    IS("\x1a\x05\x08\x96\x01\x22\x00");
    (void)memset(text, 'x', sizeof(text));
    proto_begin(&proto, 1);
    proto_begin(&proto, 2);
    proto_text(&proto, 3, text, sizeof(text));
    proto_end(&proto);
    proto_number(&proto, 4, 1);
    proto_end(&proto);
    assert_int_equal(proto.error, 0);
    assert_int_equal(proto.n, sizeof(text) + 4 + 4 + 2 + 4);
    assert_memory_equal(proto.data, "\x0a\xaa\x9c\x01\x12\xa4\x9c\x01\x1a\xa0\x9c\x01xxx", 15);
    assert_memory_equal(proto.data + proto.n - 3, "x\x20\x01", 3);
}

/* The first failure is remembered, and nothing is written after it. */
static void test_failures(void **state)
{
    char *much = calloc(1, PROTO_MAX);

    (void)state;
    assert_non_null(much);
    proto_bytes(&proto, 1, much, PROTO_MAX);
    assert_int_equal(proto.error, -E2BIG);
    proto_number(&proto, 1, 1);
    proto_begin(&proto, 1);
    proto_end(&proto);
    assert_int_equal(proto.error, -E2BIG);
    proto_done(&proto);
    for (unsigned i = 0; i <= PROTO_DEPTH; i++)
        proto_begin(&proto, 1);
    assert_int_equal(proto.error, -E2BIG);
    free(much);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
