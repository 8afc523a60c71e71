/* SPDX-License-Identifier: Apache-2.0 */

/*
 * pending/ as the queue of what is to be uploaded: the newest trace first, taken, and then given
 * back, put off or aside, or archived. The index is the queue; there is no other list.
 */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "lib/spool/item.h"
#include "lib/spool/state.h"

struct retention_item *item_at(struct spool *s, size_t i)
{
    return &index_items(&s->kept)[i];
}

/* A trace is uploaded without a record if the record is missing, foreign or endless. */
static int read_record(struct spool_item *i, int day)
{
    char name[NAME_KEY_MAX];
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r;

    r = tree_open_file(day, name_record_key(tree_leaf(i->key), name), &fd, &st);
    if (r >= 0)
        r = buf_read_fd(&i->record, fd);
    i->has_record = r >= 0;
    if (r == -ELOOP || r == -EPERM || r == -E2BIG) {
        log_write(LOG_LEVEL_WARN,
                  &(struct log_fields){.key = i->key, .message_id = MESSAGE_ID_STORAGE},
                  "%s is uploaded without its record: %s", i->key,
                  r == -E2BIG ? "it is longer than 256 KiB" : "it is not a file of contraced's");
        return 0;
    }
    return r == -ENOENT ? 0 : r;
}

static int open_item(struct spool_item *i)
{
    _cleanup_close_ int day = -1;
    struct stat st;
    int r;

    r = tree_open_day(i->spool->tree.pending, i->key, &day);
    if (r >= 0)
        r = tree_open_file(day, tree_leaf(i->key), &i->fd, &st);
    if (r < 0)
        return r;
    i->size = (uint64_t)st.st_size;
    return read_record(i, day);
}

void item_free(struct spool_item *i)
{
    (void)close_fd(i->fd);
    buf_done(&i->record);
    free(i);
}

/* Says nothing of the file. */
static bool is_shortage(int r)
{
    return r == -EMFILE || r == -ENFILE || r == -ENOMEM;
}

/* 1; -ENOENT: it is not there any more; or another errno, and it rests if that is its own. */
static int take(struct spool *s, size_t at, struct spool_item **ret)
{
    struct spool_item *i = calloc(1, sizeof(*i));
    int r;

    if (!i)
        return -ENOMEM;
    i->spool = s;
    i->key = index_key(&s->kept, at);
    i->time = item_at(s, at)->time;
    i->fd = -1;
    buf_init(&i->record, SPOOL_RECORD_MAX);
    r = open_item(i);
    if (r >= 0) {
        item_at(s, at)->busy = true;
        *ret = i;
        s->taken++;
        return 1;
    }
    if (r != -ENOENT && !is_shortage(r) && queue_rest(s, at)) {
        struct log_fields fields = {.key = i->key, .message_id = MESSAGE_ID_STORAGE};

        log_write(LOG_LEVEL_WARN, &fields,
                  "cannot open %s/pending/%s for its upload: %s; this and others like it will be"
                  " tried again in 5s, and then less and less often",
                  s->tree.path, i->key, strerror(-r));
    }
    item_free(i);
    return r;
}

void item_log_gone(const struct spool *s, uint64_t n, const char *first)
{
    struct log_fields fields = {.key = first, .message_id = MESSAGE_ID_STORAGE};

    log_write(LOG_LEVEL_WARN, &fields,
              "%" PRIu64 " traces that waited for their upload are no longer in %s/pending; the"
              " first is %s",
              n, s->tree.path, first);
}

void item_drop(struct spool *s, size_t at)
{
    index_remove(&s->kept, at);
    if (s->waiting)
        spool_wake(s); /* there is room now */
}

int spool_take(struct spool *s, struct spool_item **ret)
{
    char first[NAME_KEY_MAX];
    uint64_t gone = 0;
    size_t at;
    int r;

    queue_due(s, spool_now_boot(s));
    while ((r = index_newest_offer(&s->kept, &at)) > 0) {
        r = take(s, at, ret);
        if (r != -ENOENT)
            break;
        if (gone++ == 0)
            (void)snprintf(first, sizeof(first), "%s", index_key(&s->kept, at));
        item_drop(s, at);
    }
    if (gone > 0)
        item_log_gone(s, gone, first);
    return r;
}

const char *spool_item_key(const struct spool_item *i)
{
    return i->key;
}

int spool_item_fd(const struct spool_item *i)
{
    return i->fd;
}

uint64_t spool_item_size(const struct spool_item *i)
{
    return i->size;
}

const struct buf *spool_item_record(const struct spool_item *i)
{
    return i->has_record ? &i->record : NULL;
}

size_t item_place(const struct spool_item *i)
{
    size_t at = 0;
    bool found = index_find(&i->spool->kept, i->key, i->time, true, &at);

    assert(found); /* nobody else removes a busy item */
    (void)found;
    return at;
}

static void give_back(struct spool_item *i)
{
    struct spool *s = i->spool;

    item_free(i);
    archiving_untaken(s);
}

void item_free_again(struct spool *s, size_t at)
{
    item_at(s, at)->busy = false;
    amending_kick(s);
}

void spool_item_return(struct spool_item *i)
{
    size_t at = item_place(i);

    item_free_again(i->spool, at);
    index_offer(&i->spool->kept, at);
    give_back(i);
}

void spool_item_put_off(struct spool_item *i, usec wait)
{
    size_t at = item_place(i);

    item_free_again(i->spool, at);
    queue_later(i->spool, at, wait);
    give_back(i);
}

bool spool_item_uploaded(const struct spool_item *i)
{
    return item_at(i->spool, item_place(i))->uploaded;
}

unsigned spool_item_failures(const struct spool_item *i)
{
    return item_at(i->spool, item_place(i))->failures;
}

void spool_item_put_aside(struct spool_item *i)
{
    size_t at = item_place(i);

    item_free_again(i->spool, at);
    queue_never(i->spool, at);
    give_back(i);
}
