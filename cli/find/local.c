/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define DEPTH_MAX 4 /* service, host, day, file */

static const struct {
    const char *name;
    enum where where;
} parts[] = {{"pending", WHERE_PENDING}, {"archive", WHERE_ARCHIVE}};

int local_open(struct local *l, const char *path)
{
    *l = (struct local){.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (l->root < 0)
        return -errno;
    if (faccessat(l->root, ".", R_OK | X_OK, AT_EACCESS) < 0) {
        int r = -errno;

        local_close(l);
        return r;
    }
    l->path = strdup(path);
    if (!l->path) {
        local_close(l);
        return -ENOMEM;
    }
    return 0;
}

void local_close(struct local *l)
{
    l->root = close_fd(l->root);
    free(l->path);
    l->path = NULL;
}

struct search {
    const struct selection *selection;
    struct catalog *catalog;
    enum where where;
    int error; /* the first error worth a message */
};

/* The directory is gone, or never was one of traces: no error. */
static bool harmless(int r)
{
    return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

static void note(struct search *w, int r)
{
    if (r < 0 && w->error == 0 && !harmless(r))
        w->error = r;
}

static void visit_file(struct search *w, int dir, const char *name, const char *key)
{
    struct name parsed;
    struct stat st;

    if (name_parse(key, &parsed) < 0 || !selection_match(w->selection, &parsed))
        return;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        note(w, -errno);
    else if (S_ISREG(st.st_mode))
        note(w, catalog_add(w->catalog, key, (uint64_t)st.st_size, w->where));
}

/* `key` is the start of the keys in this directory. */
static void search_directory(struct search *w, int parent, const char *name, const char *key,
                             unsigned depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        note(w, -errno);
        (void)close_fd(fd);
        return;
    }
    while (w->error != -ENOMEM && (errno = 0, entry = readdir(dir))) {
        char path[NAME_KEY_MAX];
        int n = snprintf(path, sizeof(path), "%s%s%s", key, *key ? "/" : "", entry->d_name);

        if (entry->d_name[0] == '.' && (!entry->d_name[1] || strcmp(entry->d_name, "..") == 0))
            continue;
        if (n < 0 || (size_t)n >= sizeof(path))
            continue;
        if (depth < DEPTH_MAX)
            search_directory(w, dirfd(dir), entry->d_name, path, depth + 1);
        else
            visit_file(w, dirfd(dir), entry->d_name, path);
    }
    note(w, -errno);
    (void)closedir(dir);
}

int local_list(const struct local *l, const struct selection *s, struct catalog *c)
{
    struct search w = {.selection = s, .catalog = c};

    /* Reads pending/ before archive/: a trace that moves meanwhile is seen twice rather than
     * missed. */
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        w.where = parts[i].where;
        search_directory(&w, l->root, parts[i].name, "", 1);
    }
    return w.error;
}

static int open_file(const struct local *l, const char *part, const char *key, int *ret_fd)
{
    _cleanup_close_ int fd = -1;
    char path[16 + NAME_KEY_MAX];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", part, key);
    fd = openat(l->root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? -ENOENT : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENOENT;
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* Looks into archive/ once more at the end, for a trace that left pending/ between the two
 * looks. */
static int find_file(const struct local *l, const char *key, int *ret_fd, unsigned *ret_where)
{
    static const unsigned char tries[] = {1, 0, 1};
    int r = -ENOENT;

    for (size_t i = 0; i < sizeof(tries) && r == -ENOENT; i++) {
        r = open_file(l, parts[tries[i]].name, key, ret_fd);
        if (r == 0)
            *ret_where = parts[tries[i]].where;
    }
    return r;
}

int local_trace(const struct local *l, const char *key, int *ret_fd, unsigned *ret_where)
{
    struct name n;

    return name_parse(key, &n) < 0 ? -EINVAL : find_file(l, key, ret_fd, ret_where);
}

int local_record(const struct local *l, const char *key, struct buf *b)
{
    _cleanup_close_ int fd = -1;
    char record[NAME_KEY_MAX];
    struct name n;
    unsigned where;
    int r;

    if (name_parse(key, &n) < 0)
        return -EINVAL;
    r = find_file(l, name_record_key(key, record), &fd, &where);
    return r < 0 ? r : buf_read_fd(b, fd);
}

int local_facts(const struct local *l, struct entry *e, bool keep)
{
    struct facts *facts = calloc(1, sizeof(*facts));
    struct buf text;
    int r = facts ? 0 : -ENOMEM;

    buf_init(&text, FACTS_RECORD_MAX);
    if (r == 0)
        r = local_record(l, e->key, &text);
    if (r == 0)
        r = facts_parse(buf_str(&text), text.len, keep, facts);
    buf_done(&text);
    e->asked = r == 0 || !(e->where & WHERE_REMOTE);
    if (r < 0) {
        free(facts);
        return r == -ENOMEM ? r : 0;
    }
    e->facts = facts;
    return 0;
}
