/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/rows/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write.h"
#include "daemon/rows/seal.h"

#define DIRECTORY "rows"
#define OPEN "open"
#define READY "ready"
#define SINCE "since"
#define TMP ".tmp"
#define PATH_SIZE (ROWFILE_NAME_MAX + 16)
#define MODE 0640
#define DIRECTORY_MODE 0750

static int open_directory(int parent, const char *name, int *ret_fd)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

static int make_directory(int parent, const char *name, int *ret_fd)
{
    if (mkdirat(parent, name, DIRECTORY_MODE) < 0 && errno != EEXIST)
        return -errno;
    return open_directory(parent, name, ret_fd);
}

int journal_open(const char *path, int *ret_root)
{
    _cleanup_close_ int top = -1, root = -1, open = -1, ready = -1;
    int r = open_directory(AT_FDCWD, path, &top);

    if (r >= 0)
        r = make_directory(top, DIRECTORY, &root);
    if (r >= 0)
        r = make_directory(root, OPEN, &open);
    if (r >= 0)
        r = make_directory(root, READY, &ready);
    if (r >= 0 && (fsync(root) < 0 || fsync(top) < 0))
        r = -errno;
    if (r >= 0)
        *ret_root = steal_fd(&root);
    return r;
}

/* Calls `fn` with each file of a directory that could be one of ours. 0; the first negative result;
 * or what readdir(3) said. */
static int each(int dir, const char *suffix, int (*fn)(void *userdata, int dir, const char *name),
                void *userdata)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!d) {
        r = -errno;
        (void)close_fd(fd);
        return r;
    }
    while (r >= 0 && (errno = 0, entry = readdir(d))) {
        if (rowfile_is(entry->d_name, suffix))
            r = fn(userdata, dir, entry->d_name);
    }
    if (r >= 0 && errno != 0)
        r = -errno;
    (void)closedir(d);
    return r;
}

struct lookup {
    const char *stem;
    char name[ROWFILE_NAME_MAX];
};

static int is_that(void *userdata, int dir, const char *name)
{
    struct lookup *l = userdata;

    (void)dir;
    if (strncmp(name, l->stem, strlen(l->stem)) == 0)
        (void)snprintf(l->name, sizeof(l->name), "%s", name);
    return 0;
}

/* What a write that was cut by a power failure has left is no line: it goes. */
static int cut_tail(int fd, off_t size, off_t *ret)
{
    char piece[4096];

    while (size > 0) {
        size_t n = (size_t)size < sizeof(piece) ? (size_t)size : sizeof(piece);
        ssize_t got = pread(fd, piece, n, size - (off_t)n);
        const char *last;

        if (got != (ssize_t)n)
            return got < 0 ? -errno : -EIO;
        last = memrchr(piece, '\n', n);
        if (last) {
            size += last + 1 - (piece + n);
            break;
        }
        size -= (off_t)n;
    }
    *ret = size;
    return ftruncate(fd, size) < 0 ? -errno : 0;
}

static int append(int fd, off_t before, const char *rows, size_t n)
{
    int r = write_all(fd, rows, n);

    if (r < 0 && ftruncate(fd, before) < 0)
        return -errno; /* what was written of a line is cut off before the next */
    return r;
}

int journal_append(int root, const struct journal_place *place, const char *day,
                   const char *service, const char *rows, size_t n, uint64_t *ret_size)
{
    _cleanup_close_ int dir = -1, fd = -1;
    char stem[ROWFILE_NAME_MAX];
    struct lookup l = {.stem = rowfile_stem(day, service, stem)};
    struct stat st;
    off_t before = 0;
    int r = open_directory(root, OPEN, &dir);

    if (r >= 0)
        r = each(dir, ROWFILE_OPEN, is_that, &l);
    if (r < 0)
        return r;
    if (!l.name[0])
        (void)rowfile_new(day, service, place->host, place->now, place->random, l.name);
    fd = openat(dir, l.name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                MODE);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    r = cut_tail(fd, st.st_size, &before);
    if (r >= 0)
        r = append(fd, before, rows, n);
    if (r < 0)
        return r;
    *ret_size = (uint64_t)before + n;
    return 0;
}

/* "X.jsonl" of open/ becomes "X.jsonl.gz" of ready/. If that is there already, a kill came before
 * the unlink: the same is made again. */
static int seal_one(void *userdata, int open, const char *name)
{
    int ready = *(const int *)userdata, r;
    char final[ROWFILE_NAME_MAX + 8], tmp[ROWFILE_NAME_MAX + 16];

    (void)snprintf(final, sizeof(final), "%.*s" ROWFILE_READY,
                   (int)(strlen(name) - strlen(ROWFILE_OPEN)), name);
    (void)snprintf(tmp, sizeof(tmp), "%s" TMP, final);
    r = seal_file(open, name, ready, tmp);
    if (r < 0)
        return r;
    if (renameat(ready, tmp, ready, final) < 0 || fsync(ready) < 0 || unlinkat(open, name, 0) < 0)
        return -errno;
    return 0;
}

struct room {
    uint64_t bytes;
    char first[ROWFILE_NAME_MAX];
};

/* The day stands first in a name, so the first name is one of the oldest. */
static int measure(void *userdata, int dir, const char *name)
{
    struct room *room = userdata;
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    room->bytes += (uint64_t)st.st_size;
    if (!room->first[0] || strcmp(name, room->first) < 0)
        (void)snprintf(room->first, sizeof(room->first), "%s", name);
    return 0;
}

static int make_room(int ready, unsigned *ret_dropped)
{
    for (*ret_dropped = 0;; (*ret_dropped)++) {
        struct room room = {0};
        int r = each(ready, ROWFILE_READY, measure, &room);

        if (r < 0 || room.bytes <= JOURNAL_READY_MAX)
            return r;
        if (unlinkat(ready, room.first, 0) < 0)
            return -errno;
    }
}

int journal_seal(int root, unsigned *ret_dropped)
{
    _cleanup_close_ int open = -1, ready = -1;
    int r = open_directory(root, OPEN, &open);

    if (r >= 0)
        r = open_directory(root, READY, &ready);
    if (r >= 0)
        r = each(open, ROWFILE_OPEN, seal_one, &ready);
    if (r >= 0)
        r = make_room(ready, ret_dropped);
    return r;
}

int journal_next(int root, char ret_name[static ROWFILE_NAME_MAX], uint64_t *ret_size, int *ret_fd)
{
    _cleanup_close_ int ready = -1, fd = -1;
    struct room room = {0};
    struct stat st;
    int r = open_directory(root, READY, &ready);

    if (r >= 0)
        r = each(ready, ROWFILE_READY, measure, &room);
    if (r < 0)
        return r;
    if (!room.first[0])
        return -ENOENT;
    fd = openat(ready, room.first, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    memcpy(ret_name, room.first, ROWFILE_NAME_MAX);
    *ret_size = (uint64_t)st.st_size;
    *ret_fd = steal_fd(&fd);
    return 0;
}

int journal_remove(int root, const char *name)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), READY "/%s", name);
    return unlinkat(root, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

usec journal_since(int root)
{
    _cleanup_close_ int fd = openat(root, SINCE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char text[CLOCK_RFC3339_SIZE] = "";
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    usec since;

    text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
    return clock_parse_rfc3339(text, &since) < 0 ? 0 : since;
}

int journal_set_since(int root, usec since)
{
    _cleanup_close_ int fd =
        openat(root, SINCE TMP, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, MODE);
    char text[CLOCK_RFC3339_SIZE];
    int r;

    if (fd < 0)
        return -errno;
    (void)clock_rfc3339(since, text);
    r = write_all(fd, text, strlen(text));
    if (r < 0)
        return r;
    return fsync(fd) < 0 || renameat(root, SINCE TMP, root, SINCE) < 0 || fsync(root) < 0 ? -errno
                                                                                          : 0;
}
