/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/spool/disk/ownership.h"
#include "tests/support/scratch.h"

#define US 65532
#define FSGROUP 2000
#define STRANGER 2001

static char *dir;
static char line[512];
static bool modes_stay; /* as on a file system that has none of its own */

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);

int __wrap_fchmod(int fd, mode_t mode)
{
    return modes_stay ? 0 : __real_fchmod(fd, mode);
}

static void on_log(void *userdata, enum log_level level, const struct log_fields *fields,
                   const char *message)
{
    (void)userdata;
    (void)fields;
    if (level < LOG_LEVEL_DEBUG)
        (void)snprintf(line, sizeof(line), "%s", message);
}

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    line[0] = '\0';
    modes_stay = false;
    log_set_sink(on_log, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_set_sink(NULL, NULL);
    scratch_free(dir);
    return 0;
}

/* *ret_mode: what the directory has afterwards. */
static int archive(uid_t owner, gid_t group, mode_t mode, bool top, mode_t *ret_mode)
{
    _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    int r;

    line[0] = '\0';
    assert_true(fd >= 0);
    if (owner != geteuid() || group != getegid())
        assert_int_equal(chown(dir, owner, group), 0);
    assert_int_equal(chmod(dir, mode), 0);
    r = ownership_settle(fd, dir, "", top);
    assert_int_equal(fstat(fd, &st), 0);
    *ret_mode = st.st_mode & 07777;
    return r;
}

static void test_ours_is_made_ours_alone(void **state)
{
    static const struct {
        mode_t before, after;
    } cases[] = {
        {0700, 0700}, {0750, 0750},   {02750, 02750}, {0755, 0755}, {0770, 0750},
        {0777, 0755}, {02770, 02750}, {02777, 02755}, {0775, 0755},
    };
    mode_t mode;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(archive(geteuid(), getegid(), cases[i].before, i % 2, &mode), 0);
        assert_int_equal(mode, cases[i].after);
        assert_int_equal(line[0] != '\0', cases[i].before != cases[i].after);
    }
    assert_int_equal(archive(geteuid(), getegid(), 02770, true, &mode), 0);
    assert_non_null(strstr(line, "could be written by others (mode 2770); it is 2750 now"));
}

static void test_modes_that_stay(void **state)
{
    mode_t mode;

    (void)state;
    modes_stay = true;
    assert_int_equal(archive(geteuid(), getegid(), 0770, false, &mode), 0); /* our own group */
    assert_string_equal(line, "");
    assert_int_equal(archive(geteuid(), getegid(), 0777, false, &mode), -EPERM);
    assert_non_null(strstr(line, "(mode 0777) and stays so after chmod; not used: mount"));
    if (geteuid() != 0)
        return;
    assert_int_equal(archive(0, STRANGER, 0770, false, &mode), -EPERM);
}

static void test_files(void **state)
{
    const char *path = scratch_write(dir, "f", "x", 1, 0660);
    _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    (void)state;
    assert_int_equal(stat(path, &st), 0);
    ownership_tighten_at(fd, "f", &st);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void check_settled(int owner, int group, mode_t mode, bool top, int expected,
                          const char *said)
{
    mode_t after;
    int status;
    pid_t child = fork();

    if (child == 0) {
        static const gid_t groups[] = {FSGROUP};
        _cleanup_close_ int fd = -1;

        if (chown(dir, (uid_t)owner, (gid_t)group) < 0 || chmod(dir, mode) < 0 ||
            (fd = open(dir, O_RDONLY | O_DIRECTORY)) < 0 || setgroups(1, groups) < 0 ||
            setgid(US) < 0 || setuid(US) < 0)
            _exit(99);
        after = (mode_t)-ownership_settle(fd, dir, "", top);
        _exit(!strstr(line, said) ? 98 : (int)after);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), -expected);
}

/* A volume's own directory is root's, and the platform gave it to a group of ours. */
static void test_volumes(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    check_settled(0, FSGROUP, 02770, true, 0, "");
    check_settled(0, FSGROUP, 02775, true, 0, "");
    check_settled(0, US, 0770, true, 0, "");
    check_settled(0, FSGROUP, 02770, false, -EPERM, "belongs to user 0, not to us (65532)");
    check_settled(0, STRANGER, 02770, true, -EPERM, "belongs to root (mode 2770, group 2001)");
    check_settled(0, FSGROUP, 02777, true, -EPERM, "set storage.path to a directory in it, as ");
    check_settled(STRANGER, FSGROUP, 02770, true, -EPERM, "; not used: run contraced as that user");
    check_settled(US, FSGROUP, 02770, true, 0, "it is 2750 now");
    check_settled(US, STRANGER, 0770, false, 0, "it is 0750 now");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_ours_is_made_ours_alone),
        TEST(test_modes_that_stay),
        TEST(test_files),
        TEST(test_volumes),
    };

    return cmocka_run_group_tests_name("ownership", tests, NULL, NULL);
}
