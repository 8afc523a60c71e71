/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/item.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/record/name.h"
#include "lib/spool/item_state.h"

struct spool_item *item_new(struct items *items, size_t at)
{
    struct spool_item *i = calloc(1, sizeof(*i));

    if (!i)
        return NULL;
    i->items = items;
    i->key = index_key(&items->index, at);
    i->time = items_at(items, at)->time;
    i->fd = -1;
    buf_init(&i->record, SPOOL_RECORD_MAX);
    return i;
}

void item_free(struct spool_item *i)
{
    (void)close_fd(i->fd);
    buf_done(&i->record);
    free(i);
}

/* If the record is missing, foreign or longer than SPOOL_RECORD_MAX, the trace is uploaded without
 * it. */
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

int item_open(struct spool_item *i)
{
    _cleanup_close_ int day = -1;
    struct stat st;
    int r;

    r = tree_open_day(i->items->core->tree.pending, i->key, &day);
    if (r >= 0)
        r = tree_open_file(day, tree_leaf(i->key), &i->fd, &st);
    if (r < 0)
        return r;
    i->size = (uint64_t)st.st_size;
    return read_record(i, day);
}

size_t item_place(const struct spool_item *i)
{
    size_t at = 0;
    bool found = index_find(&i->items->index, i->key, i->time, true, &at);

    assert(found); /* always true: nobody else removes a busy item */
    (void)found;
    return at;
}

void item_log_gone(const struct items *items, uint64_t n, const char *first)
{
    struct log_fields fields = {.key = first, .message_id = MESSAGE_ID_STORAGE};

    log_write(LOG_LEVEL_WARN, &fields,
              "%" PRIu64 " traces that waited for their upload are no longer in %s/pending; the"
              " first is %s",
              n, items->core->tree.path, first);
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

bool spool_item_uploaded(const struct spool_item *i)
{
    return items_at(i->items, item_place(i))->uploaded;
}

unsigned spool_item_failures(const struct spool_item *i)
{
    return items_at(i->items, item_place(i))->failures;
}
