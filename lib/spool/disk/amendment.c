/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/disk/amendment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/record/name.h"

static int read_old(struct amendment *a, int day, const char *name, struct buf *text)
{
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r = tree_open_file(day, name, &fd, &st);

    if (r >= 0)
        r = buf_read_fd(text, fd);
    a->before = text->len;
    return r;
}

/* A record that is long by itself, as with many labels of its target, may grow by a label. */
static size_t room_for(const struct buf *old)
{
    size_t labelled = old->len + AMENDMENT_LABEL_MAX;

    return labelled > AMENDMENT_RECORD_MAX ? labelled : AMENDMENT_RECORD_MAX;
}

/* Renames the new record over the old one. If somebody removed the trace or its day, its record is
 * not wanted either: -ENOENT. */
static int put_in_place(const struct amendment *a, int day, const char *name)
{
    struct stat st;

    if (fstatat(day, tree_leaf(a->key), &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (renameat2(a->tree->incoming, a->tmp, day, name, 0) < 0)
        return -errno;
    return fsync(day) < 0 || fsync(a->tree->incoming) < 0 ? -errno : 0;
}

static int run(struct amendment *a, struct buf *old, char **text)
{
    _cleanup_close_ int day = -1;
    char name[NAME_KEY_MAX];
    int r = tree_open_day(a->top, a->key, &day);

    (void)name_record_key(tree_leaf(a->key), name);
    if (r >= 0)
        r = read_old(a, day, name, old);
    if (r >= 0)
        r = record_amend(buf_str(old), old->len, &a->what, room_for(old), text);
    if (r < 0)
        return r;
    a->after = strlen(*text);
    r = record_annotation(*text, a->after, &a->found);
    if (r < 0)
        return r;
    r = tree_write(a->tree, a->tmp, *text);
    if (r >= 0)
        r = put_in_place(a, day, name);
    if (r < 0)
        (void)unlinkat(a->tree->incoming, a->tmp, 0);
    return r;
}

int amendment_run(struct amendment *a)
{
    _cleanup_free_ char *text = NULL;
    struct buf old;
    int r;

    buf_init(&old, RECORD_MAX);
    r = run(a, &old, &text);
    buf_done(&old);
    return r;
}
