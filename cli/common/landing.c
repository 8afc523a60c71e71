/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common/landing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write.h"

int landing_open(const char *path)
{
    int fd;

    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return -errno;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Opens the next directory of the path, which replaces *fd. 0 or a negative errno. */
static int descend(int *fd, const char *name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, next;

    if (mkdirat(*fd, name, 0777) < 0 && errno != EEXIST)
        return -errno;
    next = openat(*fd, name, flags);
    if (next < 0)
        return -errno;
    (void)close_fd(*fd);
    *fd = next;
    return 0;
}

static int open_directory(struct landing *l, int out, const char *path, size_t length)
{
    _cleanup_free_ char *copy = strndup(path, length);
    char *save = NULL;
    int r = 0;

    if (!copy)
        return -ENOMEM;
    l->dir = openat(out, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (l->dir < 0)
        return -errno;
    for (char *name = strtok_r(copy, "/", &save); name && r == 0; name = strtok_r(NULL, "/", &save))
        r = descend(&l->dir, name);
    return r;
}

int landing_init(struct landing *l, int out, const char *path)
{
    const char *slash = strrchr(path, '/'), *leaf = slash ? slash + 1 : path;
    int r;

    *l = (struct landing){.dir = -1, .fd = -1};
    if (strlen(leaf) >= sizeof(l->leaf) - sizeof(".part"))
        return -ENAMETOOLONG;
    (void)snprintf(l->leaf, sizeof(l->leaf), "%s", leaf);
    (void)snprintf(l->part, sizeof(l->part), ".%s.part", leaf);
    r = open_directory(l, out, path, slash ? (size_t)(slash - path) : 0);
    if (r < 0)
        landing_done(l);
    return r;
}

void landing_done(struct landing *l)
{
    /* We hold its lock while it is open: see lock(). */
    if (l->fd >= 0)
        (void)unlinkat(l->dir, l->part, 0);
    l->fd = close_fd(l->fd);
    l->dir = close_fd(l->dir);
}

/*
 * Locks a part file, which says that a process still writes it. The lock counts only if the name
 * still leads to this file: between open and lock another process may have removed it as a
 * leftover. 1; 0: try again; -EBUSY: another process has it.
 */
static int lock(const struct landing *l, int fd)
{
    struct stat opened, named;

    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (fstat(fd, &opened) < 0)
        return -errno;
    return fstatat(l->dir, l->part, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

/* Removes the part file of a process that was killed. 0, or -EBUSY if it still runs. */
static int remove_left_over(const struct landing *l)
{
    _cleanup_close_ int fd =
        openat(l->dir, l->part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    r = lock(l, fd);
    if (r > 0 && unlinkat(l->dir, l->part, 0) < 0 && errno != ENOENT)
        r = -errno;
    return r < 0 ? r : 0;
}

int landing_begin(struct landing *l)
{
    int r = 0;

    l->size = 0;
    if (l->fd >= 0)
        return ftruncate(l->fd, 0) < 0 || lseek(l->fd, 0, SEEK_SET) < 0 ? -errno : 0;
    for (unsigned tries = 0; tries < 10 && r == 0; tries++) {
        _cleanup_close_ int fd =
            openat(l->dir, l->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

        if (fd >= 0)
            r = lock(l, fd);
        else
            r = errno == EEXIST ? remove_left_over(l) : -errno;
        if (r > 0)
            l->fd = steal_fd(&fd);
    }
    return r < 0 ? r : l->fd < 0 ? -EBUSY : 0;
}

int landing_write(struct landing *l, const void *data, size_t n)
{
    l->size += n;
    return write_all(l->fd, data, n);
}

/* Some file systems have no rename that refuses to replace: there we look first. */
static int rename_new(const struct landing *l)
{
    struct stat st;

    if (renameat2(l->dir, l->part, l->dir, l->leaf, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (fstatat(l->dir, l->leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST;
    return renameat(l->dir, l->part, l->dir, l->leaf) < 0 ? -errno : 0;
}

int landing_finish(struct landing *l, bool replace)
{
    int r;

    if (fsync(l->fd) < 0)
        return -errno;
    if (replace)
        r = renameat(l->dir, l->part, l->dir, l->leaf) < 0 ? -errno : 0;
    else
        r = rename_new(l);
    if (r < 0)
        return r;
    l->fd = close_fd(l->fd);
    return fsync(l->dir) < 0 ? -errno : 0;
}
