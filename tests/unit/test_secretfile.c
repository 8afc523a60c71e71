/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/secretfile.h"
#include "tests/support/scratch.h"

static char *dir;

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_free(dir);
    return 0;
}

static int try_read(const char *path, size_t max, const char *expected)
{
    size_t descriptors = scratch_descriptors();
    struct buf b;
    int r;

    buf_init(&b, max);
    r = secretfile_read(&b, path);
    if (r == 0)
        assert_string_equal(buf_str(&b), expected);
    buf_wipe(&b);
    assert_int_equal(scratch_descriptors(), descriptors);
    return r;
}

static void test_read(void **state)
{
    (void)state;
    assert_int_equal(try_read(scratch_text(dir, "s", "x\n"), 100, "x\n"), 0);
    assert_int_equal(try_read(scratch_write(dir, "s", "x", 1, 0400), 100, "x"), 0);
    assert_int_equal(try_read(scratch_text(dir, "s", "xyz"), 2, ""), -E2BIG);
    assert_int_equal(try_read(scratch_path(dir, "none"), 2, ""), -ENOENT);
    assert_int_equal(try_read(dir, 2, ""), -EINVAL);
    assert_int_equal(mkfifo(scratch_path(dir, "fifo"), 0600), 0);
    assert_int_equal(try_read(scratch_path(dir, "fifo"), 2, ""), -EINVAL);
}

static void test_modes(void **state)
{
    static const mode_t bad[] = {0640, 0604, 0660, 0644, 0620, 0601};
    struct statfs fs;

    (void)state;
    assert_int_equal(statfs(dir, &fs), 0);
    if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
        skip();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(try_read(scratch_write(dir, "s", "x", 1, bad[i]), 9, ""), -EPERM);
}

static void test_explain(void **state)
{
    (void)state;
    assert_non_null(strstr(secretfile_explain(-EPERM), "chmod 0600"));
    assert_non_null(strstr(secretfile_explain(-EINVAL), "regular file"));
    assert_non_null(strstr(secretfile_explain(-E2BIG), "long"));
    assert_string_equal(secretfile_explain(-ENOENT), strerror(ENOENT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
        cmocka_unit_test(test_explain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
