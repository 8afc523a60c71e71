/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/disk/archival.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/record/name.h"

/* More than one try, because retention may remove the empty day directory at the same moment. */
#define PLACE_TRIES 16

static bool same_file(int a, int b, const char *name)
{
    struct stat in_a, in_b;

    return fstatat(a, name, &in_a, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(b, name, &in_b, AT_SYMLINK_NOFOLLOW) == 0 && in_a.st_dev == in_b.st_dev &&
           in_a.st_ino == in_b.st_ino;
}

static bool missing(int day, const char *name)
{
    struct stat st;

    return fstatat(day, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Gives the record its name in archive/. 0 also when the trace has no record. -ENOENT: the day in
 * archive/ was removed. */
static int place_record(struct archival *m, int from, int to, const char *record)
{
    int r;

    if (linkat(from, record, to, record, 0) == 0) {
        m->linked = true;
        return 0;
    }
    r = -errno;
    if (r == -EEXIST && same_file(from, to, record)) {
        m->linked = true; /* an earlier try made this link and could not remove it */
        return 0;
    }
    if (r == -ENOENT && missing(from, record))
        return 0;
    if (r != -EPERM && r != -EOPNOTSUPP && r != -ENOSYS && r != -EMLINK)
        return r;
    r = tree_rename(from, record, to, record);
    m->renamed = r >= 0;
    return r == -ENOENT && missing(from, record) ? 0 : r;
}

static void take_back_record(struct archival *m, int from, int to, const char *record)
{
    if (m->linked)
        (void)unlinkat(to, record, 0);
    else if (m->renamed)
        (void)tree_rename(to, record, from, record);
    m->linked = m->renamed = false;
}

static int place(struct archival *m, int from, int to)
{
    const char *trace = tree_leaf(m->key);
    char record[NAME_KEY_MAX];
    int r;

    name_record_key(trace, record);
    r = place_record(m, from, to, record);
    if (r < 0)
        return r;
    r = tree_rename(from, trace, to, trace);
    if (r < 0) {
        m->gone = r == -ENOENT && missing(from, trace);
        take_back_record(m, from, to, record);
    }
    return r;
}

/* Places trace and record in their day in archive/. Opens the day unless it is open, and again if
 * retention removed it. Once a file is in it, it cannot be removed. */
static int place_in_day(struct tree *tree, struct archival *m, int from, int *to)
{
    int r = -ENOENT;

    for (int i = 0; r == -ENOENT && !m->gone && i < PLACE_TRIES; i++) {
        if (*to < 0)
            r = tree_make_day(tree, tree->archive, m->key, to);
        if (*to >= 0)
            r = place(m, from, *to);
        if (r == -ENOENT && !m->gone)
            *to = close_fd(*to);
    }
    m->placed = r >= 0;
    return r;
}

static void take_back(struct archival *m, int from, int to)
{
    const char *trace = tree_leaf(m->key);
    char record[NAME_KEY_MAX];

    m->in_archive = tree_rename(to, trace, from, trace) < 0;
    if (!m->in_archive)
        take_back_record(m, from, to, name_record_key(trace, record));
}

static void make_durable(struct archival *const *batch, size_t n, int from, int to)
{
    char record[NAME_KEY_MAX];
    int r = fsync(to) < 0 || fsync(from) < 0 ? -errno : 0;

    for (size_t i = 0; i < n; i++) {
        struct archival *m = batch[i];

        if (!m->placed)
            continue;
        if (r < 0) {
            m->result = r == -EEXIST ? -EIO : r; /* -EEXIST must only mean that the key is in use */
            take_back(m, from, to);
        } else if (m->linked) {
            /* If this fails, the record is an orphan, which the next start deletes. */
            (void)unlinkat(from, name_record_key(tree_leaf(m->key), record), 0);
        }
    }
}

void archival_run(struct tree *tree, struct archival *const *batch, size_t n)
{
    _cleanup_close_ int from = -1, to = -1;
    int r = tree_open_day(tree->pending, batch[0]->key, &from);
    bool placed = false, left = false;

    for (size_t i = 0; i < n; i++) {
        struct archival *m = batch[i];

        m->gone = r == -ENOENT;
        m->in_archive = m->placed = m->linked = m->renamed = false;
        m->result = r < 0 ? r : place_in_day(tree, m, from, &to);
        placed = placed || m->placed;
    }
    if (placed)
        make_durable(batch, n, from, to);
    for (size_t i = 0; i < n; i++)
        left = left || batch[i]->result >= 0 || batch[i]->in_archive;
    tree_prune(tree->pending, batch[0]->key);
    if (!left)
        tree_prune(tree->archive, batch[0]->key);
}
