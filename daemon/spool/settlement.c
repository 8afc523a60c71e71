/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/spool/settlement.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/spool/name.h"

#define PLACE_TRIES 16 /* against retention, which may remove an empty day directory just then */

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

/* A trace without a record moves without one. -ENOENT: the day in archive/ was removed. */
static int place_record(struct settlement *m, int from, int to, const char *record)
{
    int r;

    if (linkat(from, record, to, record, 0) == 0) {
        m->linked = true;
        return 0;
    }
    r = -errno;
    if (r == -EEXIST && same_file(from, to, record)) {
        m->linked = true; /* left by a try that could not undo it */
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

static void take_back_record(struct settlement *m, int from, int to, const char *record)
{
    if (m->linked)
        (void)unlinkat(to, record, 0);
    else if (m->renamed)
        (void)tree_rename(to, record, from, record);
    m->linked = m->renamed = false;
}

static int place(struct settlement *m, int from, int to)
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

/* *ret_to is open when the trace stands in it. */
static int place_in_day(struct settlement *m, int from, int *ret_to)
{
    int r = -ENOENT;

    for (int i = 0; r == -ENOENT && !m->gone && i < PLACE_TRIES; i++) {
        _cleanup_close_ int to = -1;

        r = tree_make_day(m->tree, m->tree->archive, m->key, &to);
        if (r < 0)
            continue;
        r = place(m, from, to);
        if (r >= 0)
            *ret_to = steal_fd(&to);
    }
    return r;
}

static int make_durable(struct settlement *m, int from, int to)
{
    const char *trace = tree_leaf(m->key);
    char record[NAME_KEY_MAX];
    int r;

    name_record_key(trace, record);
    if (fsync(to) < 0 || fsync(from) < 0) {
        r = -errno;
        m->in_archive = tree_rename(to, trace, from, trace) < 0;
        if (!m->in_archive)
            take_back_record(m, from, to, record);
        return r == -EEXIST ? -EIO : r; /* -EEXIST is the word for a key in use */
    }
    /* If it stays it is an orphan, and the next start's. */
    if (m->linked)
        (void)unlinkat(from, record, 0);
    return 0;
}

int settlement_run(struct settlement *m)
{
    _cleanup_close_ int from = -1, to = -1;
    int r;

    m->gone = m->in_archive = m->linked = m->renamed = false;
    r = tree_open_day(m->tree->pending, m->key, &from);
    if (r < 0) {
        m->gone = r == -ENOENT;
        return r;
    }
    r = place_in_day(m, from, &to);
    if (r >= 0)
        r = make_durable(m, from, to);
    if (r >= 0)
        tree_prune(m->tree->pending, m->key);
    else if (!m->in_archive)
        tree_prune(m->tree->archive, m->key);
    return r;
}
