/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/disk/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/write.h"
#include "lib/record/name.h"
#include "lib/spool/disk/lock.h"
#include "lib/spool/disk/ownership.h"

#define DIRECTORY_MODE 0750
#define KEY_DIRECTORIES 3 /* service, host, day */
#define N_PARTS 4

static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};

bool tree_file_ours(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid();
}

int tree_open_dir(int parent, const char *name, int *ret_fd)
{
    _cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (st.st_uid != geteuid())
        return -EPERM;
    *ret_fd = steal_fd(&fd);
    return 0;
}

int tree_open_file(int day, const char *name, int *ret_fd, struct stat *ret_st)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    _cleanup_close_ int fd = openat(day, name, flags);

    if (fd < 0 || fstat(fd, ret_st) < 0)
        return -errno;
    if (!tree_file_ours(ret_st))
        return -EPERM;
    *ret_fd = steal_fd(&fd);
    return 0;
}

const char *tree_leaf(const char *key)
{
    const char *slash = strrchr(key, '/');

    return slash ? slash + 1 : key;
}

/* Splits a copy of a key into the names of its directories. */
static void split(const char *key, char copy[static NAME_KEY_MAX],
                  char *ret[static KEY_DIRECTORIES])
{
    char *rest = copy;

    (void)snprintf(copy, NAME_KEY_MAX, "%s", key);
    for (int i = 0; i < KEY_DIRECTORIES; i++)
        ret[i] = rest ? strsep(&rest, "/") : copy + strlen(copy);
}

int tree_open_day(int top, const char *key, int *ret_fd)
{
    char copy[NAME_KEY_MAX], *parts[KEY_DIRECTORIES];
    _cleanup_close_ int fd = -1;

    split(key, copy, parts);
    for (int i = 0; i < KEY_DIRECTORIES; i++) {
        int next = -1, r = tree_open_dir(fd < 0 ? top : fd, parts[i], &next);

        if (r < 0)
            return r;
        (void)close_fd(fd);
        fd = next;
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* Makes a directory, durably. If it cannot be synced it is removed again, so that no later call
 * finds it and takes it for durable. */
static int make_dir(int parent, const char *name)
{
    int r;

    if (mkdirat(parent, name, DIRECTORY_MODE) < 0)
        return errno == EEXIST ? 0 : -errno;
    if (fsync(parent) == 0)
        return 0;
    r = -errno;
    (void)unlinkat(parent, name, AT_REMOVEDIR);
    return r;
}

static int make_day(int top, const char *key, int *ret_fd)
{
    char copy[NAME_KEY_MAX], *parts[KEY_DIRECTORIES];
    _cleanup_close_ int fd = -1;

    split(key, copy, parts);
    for (int i = 0; i < KEY_DIRECTORIES; i++) {
        int parent = fd < 0 ? top : fd, next = -1, r;

        r = tree_open_dir(parent, parts[i], &next);
        if (r == -ENOENT) {
            r = make_dir(parent, parts[i]);
            if (r >= 0)
                r = tree_open_dir(parent, parts[i], &next);
        }
        if (r < 0)
            return r;
        (void)close_fd(fd);
        fd = next;
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

int tree_make_day(struct tree *t, int top, const char *key, int *ret_fd)
{
    int r;

    (void)pthread_mutex_lock(&t->making);
    r = make_day(top, key, ret_fd);
    (void)pthread_mutex_unlock(&t->making);
    return r;
}

int tree_write(const struct tree *t, const char *tmp, const char *text)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    _cleanup_close_ int fd = openat(t->incoming, tmp, flags, TREE_FILE_MODE);
    int r;

    if (fd < 0)
        return -errno;
    r = write_all(fd, text, strlen(text));
    if (r >= 0 && fsync(fd) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(t->incoming, tmp, 0);
    return r;
}

void tree_prune(int top, const char *key)
{
    char copy[NAME_KEY_MAX], *parts[KEY_DIRECTORIES];
    _cleanup_close_ int service = -1, host = -1;

    split(key, copy, parts);
    if (tree_open_dir(top, parts[0], &service) < 0)
        return;
    /* unlinkat removes only empty directories. The host's may be empty even if the day was removed
     * earlier. */
    if (tree_open_dir(service, parts[1], &host) >= 0) {
        if (unlinkat(host, parts[2], AT_REMOVEDIR) < 0 && errno != ENOENT)
            return;
        if (unlinkat(service, parts[1], AT_REMOVEDIR) < 0 && errno != ENOENT)
            return;
    }
    (void)unlinkat(top, parts[0], AT_REMOVEDIR);
}

int tree_rename(int from, const char *name, int to, const char *new_name)
{
    struct stat st;

    if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (fstatat(to, new_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST;
    if (errno != ENOENT)
        return -errno;
    return renameat(from, name, to, new_name) < 0 ? -errno : 0;
}

int tree_remove(int top, const char *key)
{
    char record[NAME_KEY_MAX];
    _cleanup_close_ int day = -1;
    int r;

    r = tree_open_day(top, key, &day);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    /* The trace goes first: the next start deletes a record without its trace, but keeps a trace
     * without its record. */
    if (unlinkat(day, tree_leaf(key), 0) < 0 && errno != ENOENT)
        return -errno;
    if (unlinkat(day, name_record_key(tree_leaf(key), record), 0) < 0 && errno != ENOENT)
        return -errno;
    tree_prune(top, key);
    return 0;
}

/* A symbolic link at the end of storage.path is refused, unless root made it and we are not root:
 * with DynamicUser= systemd makes the state directory such a link. The directory that it leads to
 * is checked as usual. */
static int open_root(const char *path, int *ret)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct stat st;
    int fd;

    fd = open(path, flags);
    if (fd < 0 && errno == ENOTDIR && geteuid() != 0 && lstat(path, &st) == 0 &&
        S_ISLNK(st.st_mode) && st.st_uid == 0)
        fd = open(path, flags & ~O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    *ret = fd;
    return 0;
}

static int make_root(const char *path, int *ret)
{
    _cleanup_close_ int parent = -1;
    int r;

    if (mkdir(path, DIRECTORY_MODE) < 0 && errno != EEXIST)
        return -errno;
    r = open_root(path, ret);
    if (r < 0)
        return r;
    parent = openat(*ret, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0)
        /* If this fails, only an empty directory may be missing after a crash. */
        (void)fsync(parent);
    return 0;
}

int tree_make(const char *path)
{
    _cleanup_close_ int fd = -1;

    return make_root(path, &fd);
}

/* Logs why a directory cannot be used; not again at each try of tree_mend. */
static int log_failed(const struct tree *t, const char *name, int r)
{
    struct stat st;
    const char *why = strerror(-r);
    char full[4096];

    if (t->lost)
        return r;
    (void)snprintf(full, sizeof(full), "%s%s", t->path, name);
    if (r == -EROFS)
        why = "the file system is read-only";
    else if (r == -ENOTDIR && lstat(full, &st) == 0 && S_ISLNK(st.st_mode))
        why = "it is a symbolic link";
    else if (r == -ENOENT)
        why = "its parent directory does not exist";
    log_write(LOG_LEVEL_ERROR, &storage, "cannot use %s for traces: %s", full, why);
    return r;
}

static int open_part(const struct tree *t, const char *name, int *ret)
{
    int r = 0, flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    _cleanup_close_ int fd = openat(t->root, name + 1, flags);

    if (fd < 0 && errno == ENOENT) {
        r = make_dir(t->root, name + 1);
        if (r >= 0)
            fd = openat(t->root, name + 1, flags);
    }
    if (fd < 0)
        return log_failed(t, name, r < 0 ? r : -errno);
    r = ownership_settle(fd, t->path, name, false);
    if (r < 0)
        return r;
    *ret = steal_fd(&fd);
    return 0;
}

static const char *const parts[] = {"", "/incoming", "/pending", "/archive"};

static int *part_fd(struct tree *t, size_t i)
{
    int *const fds[] = {&t->root, &t->incoming, &t->pending, &t->archive};

    return fds[i];
}

/* Device and inode of an open directory. */
static int place_of(int fd, struct tree_place *ret)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    *ret = (struct tree_place){st.st_dev, st.st_ino};
    return 0;
}

static int note_places(struct tree *t)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < N_PARTS; i++)
        r = place_of(*part_fd(t, i), &t->places[i]);
    return r;
}

/* True if the path still leads to the same directory, and also if that cannot be found out. */
static bool in_place(const struct tree *t, size_t i)
{
    struct stat st;
    int r = i == 0 ? stat(t->path, &st) : fstatat(t->root, parts[i] + 1, &st, AT_SYMLINK_NOFOLLOW);

    if (r < 0)
        return errno != ENOENT;
    return st.st_dev == t->places[i].dev && st.st_ino == t->places[i].ino;
}

static int open_root_anew(const struct tree *t, int *ret_fd, int *ret_lock)
{
    _cleanup_close_ int fd = -1;
    int r = open_root(t->path, &fd);

    if (r == -ENOENT)
        r = make_root(t->path, &fd);
    if (r < 0)
        return log_failed(t, "", r);
    r = ownership_settle(fd, t->path, "", true);
    if (r >= 0)
        r = lock_take(fd, t->path, ret_lock);
    if (r >= 0)
        *ret_fd = steal_fd(&fd);
    return r;
}

/* Opens or makes a part again. The descriptor keeps its number, as disk threads may be using it. */
static int mend_part(struct tree *t, size_t i)
{
    _cleanup_close_ int fd = -1;
    int lock = -1, r;

    r = i == 0 ? open_root_anew(t, &fd, &lock) : open_part(t, parts[i], &fd);
    if (r >= 0 && dup3(fd, *part_fd(t, i), O_CLOEXEC) < 0)
        r = -errno;
    if (r >= 0)
        r = place_of(fd, &t->places[i]);
    if (i == 0 && lock >= 0) {
        (void)close_fd(t->lock);
        t->lock = lock;
    }
    if (r >= 0)
        log_write(
            LOG_LEVEL_ERROR, &storage,
            "%s%s was removed or moved away while contraced ran, and is made anew; the traces "
            "in it are gone from here, and still count until retention comes to them or "
            "contraced is restarted",
            t->path, parts[i]);
    return r;
}

int tree_mend(struct tree *t)
{
    int made = 0, r = 0;
    size_t i;

    for (i = 0; i < N_PARTS && r >= 0; i++) {
        if (in_place(t, i))
            continue;
        r = mend_part(t, i);
        made = 1;
    }
    if (r < 0 && !t->lost)
        log_write(LOG_LEVEL_ERROR, &storage,
                  "%s%s was removed or moved away while contraced ran: put it back, or restart "
                  "contraced",
                  t->path, parts[i - 1]);
    t->lost = r < 0;
    return r < 0 ? r : made;
}

static int open_all(struct tree *t)
{
    int r;

    r = open_root(t->path, &t->root);
    if (r == -ENOENT)
        r = make_root(t->path, &t->root);
    if (r < 0)
        return log_failed(t, "", r);
    r = ownership_settle(t->root, t->path, "", true);
    if (r >= 0 && faccessat(t->root, ".", W_OK, AT_EACCESS) < 0)
        r = log_failed(t, "", -errno);
    if (r >= 0)
        r = lock_take(t->root, t->path, &t->lock);
    if (r >= 0)
        r = open_part(t, "/incoming", &t->incoming);
    if (r >= 0)
        r = open_part(t, "/pending", &t->pending);
    if (r >= 0)
        r = open_part(t, "/archive", &t->archive);
    if (r >= 0)
        r = note_places(t);
    return r;
}

int tree_open(struct tree *t, const char *path)
{
    size_t n = strlen(path);
    int r;

    *t = (struct tree){.root = -1, .incoming = -1, .pending = -1, .archive = -1, .lock = -1};
    (void)pthread_mutex_init(&t->making, NULL);
    while (n > 1 && path[n - 1] == '/') /* "link/" would be followed */
        n--;
    t->path = strndup(path, n);
    r = t->path ? open_all(t) : -ENOMEM;
    if (r < 0)
        tree_close(t);
    return r;
}

void tree_close(struct tree *t)
{
    t->archive = close_fd(t->archive);
    t->pending = close_fd(t->pending);
    t->incoming = close_fd(t->incoming);
    t->root = close_fd(t->root);
    t->lock = close_fd(t->lock);
    free(t->path);
    t->path = NULL;
    (void)pthread_mutex_destroy(&t->making);
}
