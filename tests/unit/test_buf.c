/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/support/scratch.h"

static void test_empty(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    assert_int_equal(buf_adds(&b, ""), 0);
    assert_string_equal(buf_str(&b), "");
    buf_clear(&b);
    buf_done(&b);
    buf_done(&b);
    buf_wipe(&b);
    buf_clear(&b);
    assert_string_equal(buf_str(&b), "");
}

static void test_append(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(buf_adds(&b, "one"), 0);
    assert_int_equal(buf_add(&b, "\0two", 4), 0);
    assert_int_equal(buf_addf(&b, "%d-%s", 3, "three"), 0);
    assert_int_equal(b.len, 14);
    assert_memory_equal(b.data, "one\0two3-three", 15); /* with the zero behind it */
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_adds(&b, "again"), 0);
    assert_string_equal(buf_str(&b), "again");
    buf_done(&b);
    assert_int_equal(b.max, 1000);
}

static void test_remembers(void **state)
{
    char memory[16];
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_int_equal(buf_adds(&b, "12345"), 0);
    assert_int_equal(buf_error(&b), 0);
    assert_int_equal(buf_adds(&b, "too long"), -E2BIG);
    assert_int_equal(buf_adds(&b, "fits"), 0);
    assert_int_equal(buf_error(&b), -E2BIG);
    buf_clear(&b);
    assert_int_equal(buf_error(&b), 0);
    buf_add_escaped(&b, "\1\2\3", 3);
    assert_int_equal(buf_error(&b), -E2BIG);
    buf_done(&b);
    assert_int_equal(buf_error(&b), 0);

    buf_over(&b, memory, sizeof(memory));
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_addf(&b, "%s", "0123456789abcde"), 0);
    assert_int_equal(buf_addf(&b, "%c", 'f'), -E2BIG);
    assert_ptr_equal(b.data, memory);
    assert_string_equal(memory, "0123456789abcde");
    assert_int_equal(buf_error(&b), -E2BIG);
}

static void test_maximum(void **state)
{
    char big[300];
    struct buf b;

    (void)state;
    memset(big, 'x', sizeof(big));
    for (size_t max = 0; max < 200; max++) {
        buf_init(&b, max);
        assert_int_equal(buf_add(&b, big, max), 0);
        assert_int_equal(buf_add(&b, "y", 1), -E2BIG);
        assert_int_equal(buf_addf(&b, "%c", 'y'), -E2BIG);
        assert_int_equal(buf_add(&b, big, SIZE_MAX), -E2BIG);
        assert_int_equal(buf_add(&b, "", 0), 0);
        assert_int_equal(b.len, max);
        assert_int_equal(strlen(buf_str(&b)), max);
        assert_memory_equal(buf_str(&b), big, max);
        buf_done(&b);
        assert_int_equal(buf_add(&b, big, max + 1), -E2BIG);
        assert_int_equal(b.len, 0);
        buf_done(&b);
    }
}

/* Every length from one byte on, so that each step of growth is passed. */
static void test_growth(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 5000);
    for (unsigned i = 0; i < 5000; i++) {
        char c = (char)('a' + i % 26);

        assert_int_equal(buf_add(&b, &c, 1), 0);
        assert_int_equal(b.data[b.len], 0);
    }
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    buf_wipe(&b);
    assert_null(b.data);
}

static void test_read_fd(void **state)
{
    char data[10000];
    struct buf b;
    int fds[2];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], data, sizeof(data)), sizeof(data));
    assert_int_equal(close(fds[1]), 0);
    buf_init(&b, sizeof(data));
    assert_int_equal(buf_read_fd(&b, fds[0]), 0);
    assert_int_equal(b.len, sizeof(data));
    assert_memory_equal(b.data, data, sizeof(data));
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(buf_read_fd(&b, fds[0]), -EBADF);
    buf_done(&b);
}

static void test_read_file(void **state)
{
    char *dir = scratch_new(NULL);
    size_t before = scratch_descriptors();
    const char *file = scratch_text(dir, "file", "0123456789");
    const char *fifo = scratch_path(dir, "fifo"), *link = scratch_path(dir, "link");
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_int_equal(buf_read_file(&b, file), 0);
    assert_string_equal(buf_str(&b), "0123456789");
    buf_done(&b);
    assert_int_equal(symlink("file", link), 0);
    assert_int_equal(buf_read_file(&b, link), 0);
    assert_string_equal(buf_str(&b), "0123456789");
    assert_int_equal(buf_read_file(&b, file), -E2BIG); /* there is something in it already */
    buf_done(&b);
    b.max = 9;
    assert_int_equal(buf_read_file(&b, file), -E2BIG);
    buf_done(&b);
    assert_int_equal(buf_read_file(&b, dir), -EISDIR);
    assert_int_equal(buf_read_file(&b, "/dev/null"), -EINVAL);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(buf_read_file(&b, fifo), -EINVAL);
    assert_int_equal(buf_read_file(&b, scratch_path(dir, "none")), -ENOENT);
    assert_int_equal(b.len, 0);
    buf_done(&b);
    assert_int_equal(scratch_descriptors(), before);
    scratch_free(dir);
}

static void test_escaped(void **state)
{
    static const char raw[] = "a \"b\"\\\n\r\t\x01\x7f\xc3\xa4\0z";
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_add_escaped(&b, raw, sizeof(raw) - 1);
    assert_string_equal(buf_str(&b), "a \"b\"\\\\\\n\\r\\t\\x01\\x7f\\xc3\\xa4\\x00z");
    buf_done(&b);
}

/* At the maximum an escape is there whole or not at all. */
static void test_escaped_maximum(void **state)
{
    (void)state;
    for (size_t max = 0; max < 20; max++) {
        struct buf b;

        buf_init(&b, max);
        buf_add_escaped(&b, "\x01\x02\x03\x04\x05", 5);
        assert_int_equal(b.len, max / 4 * 4);
        buf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),           cmocka_unit_test(test_append),
        cmocka_unit_test(test_remembers),       cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_growth),          cmocka_unit_test(test_read_fd),
        cmocka_unit_test(test_read_file),       cmocka_unit_test(test_escaped),
        cmocka_unit_test(test_escaped_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
