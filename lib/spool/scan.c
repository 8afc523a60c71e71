/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"
#include "lib/record/name.h"
#include "lib/spool/disk/ownership.h"
#include "lib/spool/core/space.h"

#define FILE_DEPTH 3   /* below pending/ or archive/: service, host, day, then files */
#define PATH_SIZE 1200 /* pending/ and four names of at most 255 bytes */

struct sweep {
    struct scan *scan;
    struct index *ix;
    bool pending;
    int other;            /* the other top directory */
    char path[PATH_SIZE]; /* path of the current entry, relative to storage.path */
    const char *key;      /* points into path, after the top directory */
};

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);

    return n > m && strcmp(name + n - m, suffix) == 0;
}

static void foreign(struct scan *s, const char *path)
{
    if (s->foreign++ == 0)
        (void)snprintf(s->first_foreign, sizeof(s->first_foreign), "%.*s",
                       (int)sizeof(s->first_foreign) - 1, path);
}

static void cleanup_closedir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static int open_stream(int fd, DIR **ret)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    DIR *dir;

    if (copy < 0)
        return -errno;
    dir = fdopendir(copy);
    if (!dir) {
        (void)close(copy);
        return -ENOMEM;
    }
    rewinddir(dir);
    *ret = dir;
    return 0;
}

/* Reads the next name, but skips "." and "..". 1, 0 at the end, or a negative errno. */
static int next_name(DIR *dir, const char **ret)
{
    struct dirent *entry;

    do {
        errno = 0;
        entry = readdir(dir);
        if (!entry)
            return -errno;
    } while (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    *ret = entry->d_name;
    return 1;
}

static int sweep_incoming(int fd, struct scan *s)
{
    __attribute__((cleanup(cleanup_closedir))) DIR *dir = NULL;
    char path[PATH_SIZE];
    const char *name;
    struct stat st;
    int r = open_stream(fd, &dir);

    while (r >= 0 && (r = next_name(dir, &name)) > 0) {
        if (strncmp(name, "tmp-", 4) == 0 && ends_with(name, ".out") &&
            fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && tree_file_ours(&st) &&
            unlinkat(fd, name, 0) == 0) {
            s->swept_incoming++;
            continue;
        }
        (void)snprintf(path, sizeof(path), "incoming/%s", name);
        foreign(s, path);
    }
    return r;
}

static bool ours_at(int dir, const char *name, struct stat *ret)
{
    return fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW) == 0 && tree_file_ours(ret);
}

static bool missing_at(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Opens the same day in the other top directory. 1; 0 when it is missing or not ours; or a negative
 * errno such as -EMFILE, which leaves that open. */
static int open_other_day(const struct sweep *w, const char *key, int *ret_fd)
{
    int r = tree_open_day(w->other, key, ret_fd);

    return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EPERM ? 0 : r < 0 ? r : 1;
}

/*
 * On a file system without hard links an archival renames the record, then the trace. A power
 * failure may lose either rename and keep the other. So for a trace without a record, pull_record
 * looks in the other directory and takes the record if it has no trace there. For a record without
 * a trace, push_record moves it to the other directory if a trace there lacks it.
 */
static int pull_record(struct sweep *w, int dir, const char *trace, const char *record)
{
    _cleanup_close_ int other = -1;
    struct stat st;
    int r = open_other_day(w, w->key, &other);

    if (r > 0 && missing_at(other, trace) && ours_at(other, record, &st) &&
        tree_rename(other, record, dir, record) == 0) {
        w->scan->reunited++;
        tree_prune(w->other, w->key);
    }
    return r < 0 ? r : 0;
}

/* 1 when the record was moved; 0; or a negative errno. */
static int push_record(struct sweep *w, int dir, const char *key, const char *record)
{
    _cleanup_close_ int other = -1;
    struct stat st;
    int r = open_other_day(w, key, &other);

    if (r <= 0)
        return r;
    if (!ours_at(other, tree_leaf(key), &st) || !missing_at(other, record) ||
        tree_rename(dir, record, other, record) < 0)
        return 0;
    w->scan->reunited++;
    return 1;
}

/* Adds a trace with its record to the index. 0 or a negative errno. */
static int visit_trace(struct sweep *w, int dir, const char *name)
{
    char record[NAME_KEY_MAX];
    struct stat st, record_st;
    struct name parsed;
    uint64_t bytes;
    int r = 0;

    if (name_parse(w->key, &parsed) < 0 || !ours_at(dir, name, &st)) {
        foreign(w->scan, w->path);
        return 0;
    }
    bytes = space_round((uint64_t)st.st_size);
    name_record_key(name, record);
    ownership_tighten_at(dir, name, &st);
    if (missing_at(dir, record))
        r = pull_record(w, dir, name, record);
    if (r < 0)
        return r;
    if (ours_at(dir, record, &record_st)) {
        ownership_tighten_at(dir, record, &record_st);
        bytes += space_round((uint64_t)record_st.st_size);
    } else {
        w->scan->no_record++;
    }
    r = index_append(w->ix, strdup(w->key), parsed.time, bytes, w->pending);
    if (r >= 0)
        index_set_size(w->ix, w->ix->n - 1, (uint64_t)st.st_size);
    return r;
}

/* `key` is the key of the trace that the record belongs to. If that trace is missing here, the
 * record is moved or deleted, and *ret_gone is set. 0 or a negative errno. */
static int visit_record(struct sweep *w, int dir, const char *name, const char *key, bool *ret_gone)
{
    struct stat st;
    int r;

    if (!ours_at(dir, name, &st)) {
        foreign(w->scan, w->path);
        return 0;
    }
    if (!missing_at(dir, tree_leaf(key)))
        return 0;
    r = push_record(w, dir, key, name);
    if (r < 0)
        return r;
    if (r == 0 && unlinkat(dir, name, 0) < 0) {
        foreign(w->scan, w->path);
        return 0;
    }
    w->scan->swept_records += r == 0;
    *ret_gone = true;
    return 0;
}

/* Whether the path of the directory can be the beginning of a key, as that of each directory of
 * ours is. */
static bool directory_name_ok(const struct sweep *w, int depth)
{
    static const char *const rest[FILE_DEPTH] = {
        "/h/20000101/000000.trace",
        "/20000101/000000.trace",
        "/000000.trace",
    };
    char key[PATH_SIZE + 32];
    struct name parsed;

    (void)snprintf(key, sizeof(key), "%s%s", w->key, rest[depth]);
    return name_parse(key, &parsed) == 0;
}

static int sweep_directory(struct sweep *w, int fd, int depth, bool *ret_empty);

/* Walks a directory below `parent` and removes it if it is empty afterwards. */
static int visit_directory(struct sweep *w, int parent, const char *name, int depth, bool *ret_gone)
{
    _cleanup_close_ int fd = -1;
    bool empty = false;
    struct stat st;
    int r;

    if (!directory_name_ok(w, depth)) {
        foreign(w->scan, w->path);
        return 0;
    }
    r = tree_open_dir(parent, name, &fd);
    if (r == -EMFILE || r == -ENFILE || r == -ENOMEM)
        return r;
    if (r < 0) {
        foreign(w->scan, w->path);
        return 0;
    }
    if (fstat(fd, &st) == 0)
        ownership_tighten(fd, &st);
    r = sweep_directory(w, fd, depth + 1, &empty);
    if (r >= 0 && empty)
        *ret_gone = unlinkat(parent, name, AT_REMOVEDIR) == 0;
    return r;
}

static int visit(struct sweep *w, int dir, const char *name, int depth, bool *ret_gone)
{
    char key[NAME_KEY_MAX];

    if (depth < FILE_DEPTH)
        return visit_directory(w, dir, name, depth, ret_gone);
    if (name_of_record(w->key, key) == 0)
        return visit_record(w, dir, name, key, ret_gone);
    return visit_trace(w, dir, name); /* or a foreign file */
}

static int sweep_directory(struct sweep *w, int fd, int depth, bool *ret_empty)
{
    __attribute__((cleanup(cleanup_closedir))) DIR *dir = NULL;
    size_t length = strlen(w->path);
    const char *name;
    bool empty = true;
    int r = open_stream(fd, &dir);

    while (r >= 0 && (r = next_name(dir, &name)) > 0) {
        bool gone = false;

        (void)snprintf(w->path + length, sizeof(w->path) - length, "/%s", name);
        r = visit(w, fd, name, depth, &gone);
        w->path[length] = '\0';
        empty = empty && gone;
    }
    if (r >= 0)
        *ret_empty = empty;
    return r;
}

static int sweep_top(const struct tree *t, bool pending, struct index *ix, struct scan *s)
{
    struct sweep w = {
        .scan = s,
        .ix = ix,
        .pending = pending,
        .other = pending ? t->archive : t->pending,
    };
    bool empty;

    (void)snprintf(w.path, sizeof(w.path), "%s", pending ? "pending" : "archive");
    w.key = w.path + strlen(w.path) + 1;
    return sweep_directory(&w, pending ? t->pending : t->archive, 0, &empty);
}

/*
 * If both directories have the same file under the same key, a crash has interrupted its move to
 * archive/. Finishes the move. True if the trace is now only in archive/; *ret_record: with the
 * record that it had in pending/.
 */
static bool finish_move(const struct tree *t, const char *key, bool *ret_record)
{
    _cleanup_close_ int from = -1, to = -1;
    char record[NAME_KEY_MAX];
    struct stat a, b;

    if (tree_open_day(t->pending, key, &from) < 0 || tree_open_day(t->archive, key, &to) < 0 ||
        !ours_at(from, tree_leaf(key), &a) || !ours_at(to, tree_leaf(key), &b) ||
        a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return false;
    name_record_key(tree_leaf(key), record);
    *ret_record = tree_rename(from, record, to, record) == 0; /* fails if it is there already */
    return tree_remove(t->pending, key) == 0;
}

/* Looks for keys that are in both directories. The index sorts the entry of archive/ before that of
 * pending/. */
static void visit_twins(const struct tree *t, struct index *ix, struct scan *s)
{
    for (size_t i = ix->n; i-- > 1;) {
        bool record = false, finished;

        if (strcmp(index_key(ix, i - 1), index_key(ix, i)) != 0)
            continue;
        finished = finish_move(t, index_key(ix, i), &record);
        if (record) { /* the walk has counted it for the trace in pending/ only */
            s->no_record -= s->no_record > 0;
            index_resize(ix, i - 1, index_items(ix)[i].bytes);
        }
        s->finished += finished;
        s->twice += !finished;
        if (finished)
            index_remove(ix, i);
    }
}

int scan_run(const struct tree *t, struct index *ix, struct scan *ret)
{
    struct scan s = {0};
    int r;

    r = sweep_incoming(t->incoming, &s);
    if (r >= 0)
        r = sweep_top(t, true, ix, &s);
    if (r >= 0)
        r = sweep_top(t, false, ix, &s);
    if (r >= 0)
        r = index_sort(ix);
    if (r < 0)
        return r;
    visit_twins(t, ix, &s);
    *ret = s;
    return 0;
}

void scan_log(const struct scan *s, const struct tree *t, const struct index *ix)
{
    static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};
    char size[PARSE_TEXT_SIZE];

    log_write(LOG_LEVEL_INFO, &storage,
              "%s: %" PRIu64 " traces kept, %s; %" PRIu64 " unfinished files and %" PRIu64
              " records without a trace swept",
              t->path, ix->sums[0].files + ix->sums[1].files,
              format_size(ix->sums[0].bytes + ix->sums[1].bytes, size), s->swept_incoming,
              s->swept_records);
    if (s->reunited + s->finished > 0)
        log_write(LOG_LEVEL_INFO, &storage,
                  "%s: %" PRIu64 " records put back beside their traces, %" PRIu64
                  " moves to the archive finished",
                  t->path, s->reunited, s->finished);
    if (s->no_record > 0)
        log_write(LOG_LEVEL_WARN, &storage,
                  "%s: %" PRIu64 " traces have no record beside them; kept", t->path, s->no_record);
    if (s->twice > 0)
        log_write(LOG_LEVEL_WARN, &storage,
                  "%s: %" PRIu64 " traces stand in both pending and archive; both are kept",
                  t->path, s->twice);
    if (s->foreign > 0)
        log_write(LOG_LEVEL_WARN, &storage,
                  "%s: %" PRIu64
                  " things that contraced did not make are left alone and not counted,"
                  " the first is %s",
                  t->path, s->foreign, s->first_foreign);
}
