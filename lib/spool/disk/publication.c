/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/disk/publication.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/record/name.h"

/* More than one try, because retention may remove the empty day directory at the same moment. */
#define PLACE_TRIES 16

static bool has_more_than(const struct stat *st, uint64_t bytes)
{
    uint64_t block = st->st_blksize > 0 ? (uint64_t)st->st_blksize : 4096;

    return (uint64_t)st->st_size > bytes || (uint64_t)st->st_blocks * 512 > bytes + block;
}

static int sync_trace(const struct publication *p)
{
    struct stat st;

    if (fstat(p->fd, &st) < 0)
        return -errno;
    if ((uint64_t)st.st_size < p->bytes)
        return -EIO; /* a part of what was written is gone */
    /* A file of this size may still have blocks after its end that were reserved and are not
     * needed. */
    if (has_more_than(&st, p->bytes) && ftruncate(p->fd, (off_t)p->bytes) < 0)
        return -errno;
    if (fsync(p->fd) < 0)
        return -errno; /* no second try: after a failed fsync the kernel counts the pages as clean */
    /* Nobody will read the trace soon, and the service beside us can use the memory better. */
    (void)posix_fadvise(p->fd, 0, 0, POSIX_FADV_DONTNEED);
    return 0;
}

/* Moves the record into its day, and leaves that open in *ret_day. */
static int place_record(const struct publication *p, const char *tmp, const char *name,
                        int *ret_day)
{
    int r = -ENOENT;

    for (int i = 0; r == -ENOENT && i < PLACE_TRIES; i++) {
        _cleanup_close_ int day = -1;

        r = tree_make_day(p->tree, p->top, p->key, &day);
        if (r < 0)
            continue;
        r = tree_rename(p->tree->incoming, tmp, day, name);
        if (r >= 0)
            *ret_day = steal_fd(&day);
    }
    return r;
}

/* Moves the trace to its key, which is the commit point, and syncs that. The record must be in
 * place. */
static int place_trace(struct publication *p, int day)
{
    int r;

    r = tree_rename(p->tree->incoming, p->tmp, day, tree_leaf(p->key));
    if (r < 0)
        return r;
    if (fsync(day) < 0 || fsync(p->tree->incoming) < 0) {
        r = -errno;
        p->trace_left = unlinkat(day, tree_leaf(p->key), 0) < 0 && errno != ENOENT;
        /* To the caller -EEXIST must only mean that the key is in use. */
        return r == -EEXIST ? -EIO : r;
    }
    return 0;
}

static int run(struct publication *p)
{
    char tmp[64], record[NAME_KEY_MAX];
    _cleanup_close_ int day = -1;
    int r;

    r = sync_trace(p);
    if (r < 0)
        return r;
    (void)snprintf(tmp, sizeof(tmp), "%.*s-record.out", (int)strcspn(p->tmp, "."), p->tmp);
    r = tree_write(p->tree, tmp, p->record);
    if (r < 0)
        return r == -EEXIST ? -EIO : r;
    name_record_key(tree_leaf(p->key), record);
    r = place_record(p, tmp, record, &day);
    if (r < 0) {
        (void)unlinkat(p->tree->incoming, tmp, 0);
        return r;
    }
    r = place_trace(p, day);
    if (r < 0 && !p->trace_left)
        (void)unlinkat(day, record, 0);
    return r;
}

int publication_run(struct publication *p)
{
    int r;

    p->tmp_left = p->trace_left = false;
    r = run(p);
    if (r >= 0)
        return 0;
    if (!p->trace_left)
        tree_prune(p->top, p->key);
    if (r != -EEXIST)
        p->tmp_left = unlinkat(p->tree->incoming, p->tmp, 0) < 0 && errno != ENOENT;
    return r;
}
