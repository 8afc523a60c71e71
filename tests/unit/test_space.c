/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/spool/core/space.h"

int __wrap_fstatvfs(int fd, struct statvfs *v);
int __real_fstatvfs(int fd, struct statvfs *v);

static struct statvfs answer;
static int answer_errno;
static unsigned interrupts;

int __wrap_fstatvfs(int fd, struct statvfs *v)
{
    (void)fd;
    if (interrupts > 0) {
        interrupts--;
        errno = EINTR;
        return -1;
    }
    if (answer_errno) {
        errno = answer_errno;
        return -1;
    }
    *v = answer;
    return 0;
}

/* What root alone may use is not ours, and blocks are counted in fragments. */
static void test_for_the_unprivileged(void **state)
{
    struct space s;

    (void)state;
    answer = (struct statvfs){.f_bsize = 1 << 20,
                              .f_frsize = 4096,
                              .f_blocks = 1000,
                              .f_bfree = 500,
                              .f_bavail = 450,
                              .f_files = 200,
                              .f_ffree = 100,
                              .f_favail = 90};
    interrupts = 2;
    assert_int_equal(space_read(0, &s), 0);
    assert_true(s.total_bytes == 1000 * 4096 && s.free_bytes == 450 * 4096);
    assert_true(s.total_inodes == 200 && s.free_inodes == 90);
    answer.f_frsize = 0;
    assert_int_equal(space_read(0, &s), 0);
    assert_true(s.free_bytes == 450ULL << 20);
}

static void test_error(void **state)
{
    struct space s;

    (void)state;
    answer_errno = EIO;
    assert_int_equal(space_read(0, &s), -EIO);
    answer_errno = 0;
}

static void test_real(void **state)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct space s;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(__real_fstatvfs(fd, &answer), 0);
    assert_int_equal(space_read(fd, &s), 0);
    assert_true(s.total_bytes > 0 && s.free_bytes <= s.total_bytes);
    close(fd);
}

static void test_round(void **state)
{
    (void)state;
    assert_true(space_round(0) == 0);
    assert_true(space_round(1) == 4096);
    assert_true(space_round(4096) == 4096);
    assert_true(space_round(4097) == 8192);
    assert_true(space_round(UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_for_the_unprivileged),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_real),
        cmocka_unit_test(test_round),
    };

    return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
