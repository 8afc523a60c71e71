/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secretfile.h"
#include "tests/support/scratch.h"

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
    assert_int_equal(try_read(scratch_text(scratch_dir, "s", "x\n"), 100, "x\n"), 0);
    assert_int_equal(try_read(scratch_write(scratch_dir, "s", "x", 1, 0400), 100, "x"), 0);
    assert_int_equal(try_read(scratch_text(scratch_dir, "s", "xyz"), 2, ""), -E2BIG);
    assert_int_equal(try_read(scratch_path(scratch_dir, "none"), 2, ""), -ENOENT);
    assert_int_equal(try_read(scratch_dir, 2, ""), -EINVAL);
    assert_int_equal(mkfifo(scratch_path(scratch_dir, "fifo"), 0600), 0);
    assert_int_equal(try_read(scratch_path(scratch_dir, "fifo"), 2, ""), -EINVAL);
}

static void test_modes(void **state)
{
    static const mode_t bad[] = {0604, 0660, 0644, 0620, 0601};
    struct statfs fs;

    (void)state;
    assert_int_equal(statfs(scratch_dir, &fs), 0);
    if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
        skip();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(try_read(scratch_write(scratch_dir, "s", "x", 1, bad[i]), 9, ""), -EPERM);
}

#define US 65532
#define OURS 2000
#define AGENT 100

/* What contraced as user US of the group OURS makes of a file of that owner, group and mode. */
static int as_pod(const char *place, uid_t owner, gid_t group, mode_t mode)
{
    const char *path = scratch_write(place, "s", "x", 1, 0600);
    static const gid_t groups[] = {OURS};
    int fd = open(path, O_RDONLY | O_CLOEXEC), status;
    pid_t child;

    assert_true(fd >= 0);
    assert_int_equal(chown(path, owner, group), 0);
    assert_int_equal(chmod(path, mode), 0);
    child = fork();
    if (child == 0) {
        if (setgroups(1, groups) < 0 || setgid(US) < 0 || setuid(US) < 0)
            _exit(99);
        _exit(-secretfile_check(fd));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(fd);
    return -WEXITSTATUS(status);
}

/* Vault's agent writes 0640 on a memory file system, Debian's packages as root on the disk. */
static void test_files_of_others(void **state)
{
    struct statfs fs;
    char *memory;

    (void)state;
    if (geteuid() != 0 || statfs("/dev/shm", &fs) < 0 || fs.f_type != TMPFS_MAGIC)
        skip();
    memory = scratch_new("/dev/shm");
    assert_int_equal(as_pod(memory, AGENT, OURS, 0640), 0);
    assert_int_equal(as_pod(memory, AGENT, US, 0440), 0);
    assert_int_equal(as_pod(memory, US, OURS, 0640), 0);
    assert_int_equal(as_pod(memory, 0, AGENT, 0640), 0);
    assert_int_equal(as_pod(memory, 0, OURS, 0444), 0);
    assert_int_equal(as_pod(memory, AGENT, AGENT, 0640), -EPERM);
    assert_int_equal(as_pod(memory, AGENT, OURS, 0644), -EPERM);
    assert_int_equal(as_pod(memory, AGENT, OURS, 0660), -EPERM);
    scratch_free(memory);
    assert_int_equal(statfs(scratch_dir, &fs), 0);
    if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
        return;
    assert_int_equal(as_pod(scratch_dir, 0, OURS, 0640), 0);
    assert_int_equal(as_pod(scratch_dir, 0, AGENT, 0640), -EPERM);
    assert_int_equal(as_pod(scratch_dir, 0, OURS, 0644), -EPERM);
    assert_int_equal(as_pod(scratch_dir, US, OURS, 0640), -EPERM);
    assert_int_equal(as_pod(scratch_dir, AGENT, OURS, 0640), -EPERM);
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
        cmocka_unit_test_setup_teardown(test_read, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_modes, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_files_of_others, scratch_setup, scratch_teardown),
        cmocka_unit_test(test_explain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
