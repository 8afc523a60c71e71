/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/file/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A directory and its remaining names, sorted; names of directories end with '/'. */
struct level {
    int fd;
    char **names;
    size_t n, next;
    size_t path_len; /* of the key up to here */
};

struct walk {
    struct level levels[WALK_DEPTH_MAX];
    size_t depth;
    int base; /* not read yet; -1 afterwards */
    char *prefix, *after;
    struct buf path;
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void level_done(struct level *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->names[i]);
    free(l->names);
    l->fd = close_fd(l->fd);
}

/* Whether keys below this directory (or this file's key) are wanted. */
static bool wanted(const struct walk *w, const char *path, size_t len, bool directory)
{
    size_t prefix_len = strlen(w->prefix);
    size_t common = len < prefix_len ? len : prefix_len;

    if (strncmp(path, w->prefix, common) != 0 || (!directory && len < prefix_len))
        return false;
    return directory ? strncmp(path, w->after, len) >= 0 : strcmp(path, w->after) > 0;
}

/* 1 for a directory, 0 for a file, -ENOENT for anything else and what has just vanished. */
static int kind_of(int fd, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type == DT_DIR)
        return 1;
    if (entry->d_type == DT_REG)
        return 0;
    if (entry->d_type != DT_UNKNOWN || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -ENOENT;
    if (S_ISDIR(st.st_mode))
        return 1;
    return S_ISREG(st.st_mode) ? 0 : -ENOENT;
}

static int add_name(struct walk *w, struct level *l, const char *name, bool directory,
                    size_t *capacity)
{
    size_t len = w->path.len;
    char *copy;
    int r = buf_adds(&w->path, name);
    bool want;

    if (r >= 0 && directory)
        r = buf_adds(&w->path, "/");
    want = r >= 0 && wanted(w, buf_str(&w->path), w->path.len, directory);
    copy = want ? strdup(buf_str(&w->path) + len) : NULL;
    w->path.len = len;
    if (len > 0)
        w->path.data[len] = '\0';
    if (r < 0 || !want)
        return r;
    if (copy && l->n == *capacity) {
        size_t more = *capacity ? 2 * *capacity : 64;
        char **names = more > WALK_NAMES_MAX ? NULL : reallocarray(l->names, more, sizeof(*names));

        if (!names) {
            free(copy);
            return more > WALK_NAMES_MAX ? -E2BIG : -ENOMEM;
        }
        l->names = names;
        *capacity = more;
    }
    if (!copy)
        return -ENOMEM;
    l->names[l->n++] = copy;
    return 0;
}

static int read_names(struct walk *w, struct level *l, DIR *dir)
{
    size_t capacity = 0;
    struct dirent *entry;
    int r = 0;

    for (errno = 0; r >= 0 && (entry = readdir(dir)); errno = 0) {
        int kind;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        kind = kind_of(l->fd, entry);
        if (kind >= 0)
            r = add_name(w, l, entry->d_name, kind == 1, &capacity);
    }
    if (r >= 0 && errno != 0)
        r = -errno;
    if (r >= 0 && l->n > 1)
        qsort(l->names, l->n, sizeof(*l->names), compare);
    return r;
}

/* Descends into a directory, whose path is in w->path already. Takes over fd. */
static int enter(struct walk *w, int fd)
{
    struct level *l = &w->levels[w->depth];
    int r = w->depth == WALK_DEPTH_MAX ? -E2BIG : 0, twin;
    DIR *dir;

    if (r < 0) {
        (void)close(fd);
        return r;
    }
    *l = (struct level){.fd = fd, .path_len = w->path.len};
    twin = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    dir = twin < 0 ? NULL : fdopendir(twin);
    r = dir ? read_names(w, l, dir) : -errno;
    if (dir)
        (void)closedir(dir);
    else
        (void)close_fd(twin);
    if (r < 0) {
        level_done(l);
        return r;
    }
    w->depth++;
    return 0;
}

int walk_new(int base, const char *prefix, const char *after, struct walk **ret)
{
    struct walk *w = calloc(1, sizeof(*w));

    if (w) {
        w->base = base;
        w->prefix = strdup(prefix);
        w->after = strdup(after);
        buf_init(&w->path, WALK_KEY_MAX);
    }
    if (!w || !w->prefix || !w->after) {
        (void)close(base);
        if (w)
            w->base = -1;
        walk_free(w);
        return -ENOMEM;
    }
    *ret = w;
    return 0;
}

void walk_free(struct walk *w)
{
    if (!w)
        return;
    while (w->depth > 0)
        level_done(&w->levels[--w->depth]);
    (void)close_fd(w->base);
    buf_done(&w->path);
    free(w->prefix);
    free(w->after);
    free(w);
}

/* Sets w->path to the next name of this level. */
static int step(struct walk *w, struct level *l, const char **ret_leaf)
{
    *ret_leaf = l->names[l->next++];
    w->path.len = l->path_len;
    return buf_adds(&w->path, *ret_leaf);
}

/* 1 for a file; 0 for a directory, into which it descends, and for a name that vanished. */
static int visit(struct walk *w, struct level *l, const char *leaf, struct walk_entry *ret)
{
    struct stat st;
    int fd;

    if (leaf[strlen(leaf) - 1] == '/') {
        fd = openat(l->fd, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return errno == ENOENT ? 0 : -errno;
        return enter(w, fd);
    }
    if (fstatat(l->fd, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISREG(st.st_mode))
        return 0;
    *ret = (struct walk_entry){
        .key = buf_str(&w->path),
        .size = (uint64_t)st.st_size,
        .modified = (usec)st.st_mtim.tv_sec * USEC_PER_SEC + (usec)st.st_mtim.tv_nsec / 1000,
        .dir = l->fd,
        .leaf = leaf,
    };
    return 1;
}

int walk_next(struct walk *w, struct walk_entry *ret)
{
    const char *leaf;
    int r;

    if (w->base >= 0) {
        r = enter(w, steal_fd(&w->base));
        if (r < 0)
            return r;
    }
    while (w->depth > 0) {
        struct level *l = &w->levels[w->depth - 1];

        if (l->next == l->n) {
            level_done(l);
            w->depth--;
            continue;
        }
        r = step(w, l, &leaf);
        if (r >= 0)
            r = visit(w, l, leaf, ret);
        if (r != 0)
            return r;
    }
    return 0;
}

const char *walk_where(const struct walk *w)
{
    return buf_str(&w->path);
}
