/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/write.h"

static char written[64];
static size_t n_written, calls;
static int fails_at; /* this call of write(2), from 1; 0: none */
static int error;

ssize_t __wrap_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n)
{
    (void)fd;
    calls++;
    if (fails_at == (int)calls) {
        errno = error;
        return -1;
    }
    n = n < 3 ? n : 3; /* by small pieces */
    memcpy(written + n_written, data, n);
    n_written += n;
    return (ssize_t)n;
}

static int write_with(int at, int e)
{
    n_written = calls = 0;
    fails_at = at;
    error = e;
    return write_all(99, "0123456789", 10);
}

static void test_all_of_it(void **state)
{
    (void)state;
    assert_int_equal(write_with(0, 0), 0);
    assert_int_equal(calls, 4);
    assert_int_equal(n_written, 10);
    assert_memory_equal(written, "0123456789", 10);
}

static void test_interrupted(void **state)
{
    (void)state;
    assert_int_equal(write_with(2, EINTR), 0);
    assert_int_equal(n_written, 10);
    assert_memory_equal(written, "0123456789", 10);
}

static void test_fails(void **state)
{
    (void)state;
    assert_int_equal(write_with(3, ENOSPC), -ENOSPC);
    assert_int_equal(n_written, 6);
}

static void test_nothing(void **state)
{
    (void)state;
    n_written = calls = 0;
    assert_int_equal(write_all(99, "", 0), 0);
    assert_int_equal(calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_it),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_fails),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
