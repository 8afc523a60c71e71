/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/hosttree.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

long hosttree_type = CGROUP2_SUPER_MAGIC;
const char *hosttree_over;
unsigned long hosttree_mount;
unsigned hosttree_user = 1000;

void hosttree_reset(void)
{
    hosttree_type = CGROUP2_SUPER_MAGIC;
    hosttree_over = NULL;
    hosttree_mount = 0;
    hosttree_user = 1000;
}

static long type_of(int fd)
{
    char link[64], path[4096];
    ssize_t n;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    assert_true(n > 0);
    path[n] = '\0';
    if (hosttree_over && strstr(path, hosttree_over))
        return TMPFS_MAGIC;
    if (strstr(path, "/sys/devices/"))
        return SYSFS_MAGIC;
    /* Below /proc/PID/root is the process's own tree. */
    return strstr(path, "/proc/") && !strstr(path, "/root/") ? PROC_SUPER_MAGIC : hosttree_type;
}

int __wrap_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs)
{
    memset(fs, 0, sizeof(*fs));
    fs->f_type = type_of(fd);
    return 0;
}

int __wrap_statx(int dir, const char *path, int flags, unsigned mask, struct statx *st);
int __wrap_statx(int dir, const char *path, int flags, unsigned mask, struct statx *st)
{
    (void)dir;
    (void)path;
    (void)flags;
    memset(st, 0, sizeof(*st));
    if (hosttree_mount > 0 && mask & STATX_MNT_ID) {
        st->stx_mask = STATX_MNT_ID;
        st->stx_mnt_id = hosttree_mount;
    }
    return 0;
}

uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
    return hosttree_user;
}

void hosttree_write(const char *root, const char *path, const char *text)
{
    char whole[4096];
    FILE *f;

    assert_true(snprintf(whole, sizeof(whole), "%s/%s", root, path) < (int)sizeof(whole));
    for (char *slash = whole + strlen(root); (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        assert_true(mkdir(whole, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    if (!text) {
        assert_true(mkdir(whole, 0755) == 0 || errno == EEXIST);
        return;
    }
    f = fopen(whole, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

int hosttree_open(const char *root)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}
