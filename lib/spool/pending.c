/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/pending.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "lib/record/name.h"
#include "lib/spool/item_state.h"

/* A shortage of descriptors or memory, which says nothing about the file. */
static bool is_shortage(int r)
{
    return r == -EMFILE || r == -ENFILE || r == -ENOMEM;
}

static void log_not_opened(const struct spool_item *i, int r)
{
    struct log_fields fields = {.key = i->key, .message_id = MESSAGE_ID_STORAGE};

    log_write(LOG_LEVEL_WARN, &fields,
              "cannot open %s/pending/%s for its upload: %s; this and others like it will be"
              " tried again in 5s, and then less and less often",
              i->items->core->tree.path, i->key, strerror(-r));
}

/* Takes the trace at this place. 1; -ENOENT: the trace is not there any more; or another negative
 * errno, and then the trace rests unless that was a shortage. */
static int take(const struct pending *p, size_t at, struct spool_item **ret)
{
    struct spool_item *i = item_new(p->items, at);
    int r;

    if (!i)
        return -ENOMEM;
    i->queue = p->queue;
    i->archiving = p->archiving;
    r = item_open(i);
    if (r >= 0) {
        items_at(p->items, at)->busy = true;
        archiving_taken(p->archiving);
        *ret = i;
        return 1;
    }
    if (r != -ENOENT && !is_shortage(r) && queue_rest(p->queue, at))
        log_not_opened(i, r);
    item_free(i);
    return r;
}

int pending_take(const struct pending *p, struct spool_item **ret)
{
    char first[NAME_KEY_MAX];
    uint64_t gone = 0;
    size_t at;
    int r;

    while ((r = queue_newest(p->queue, &at)) > 0) {
        r = take(p, at, ret);
        if (r != -ENOENT)
            break;
        if (gone++ == 0)
            (void)snprintf(first, sizeof(first), "%s", index_key(&p->items->index, at));
        items_drop(p->items, at);
    }
    if (gone > 0)
        item_log_gone(p->items, gone, first);
    return r;
}

/* The last step with an item. */
static void give_back(struct spool_item *i)
{
    struct archiving *archiving = i->archiving;

    item_free(i);
    archiving_untaken(archiving);
}

void spool_item_return(struct spool_item *i)
{
    size_t at = item_place(i);

    items_idle(i->items, at);
    /* Without a call to the uploader: see spool_set_pending_fn. */
    index_offer(&i->items->index, at);
    give_back(i);
}

void spool_item_put_off(struct spool_item *i, usec wait)
{
    size_t at = item_place(i);

    items_idle(i->items, at);
    queue_later(i->queue, at, wait);
    give_back(i);
}

void spool_item_put_aside(struct spool_item *i)
{
    size_t at = item_place(i);

    items_idle(i->items, at);
    queue_never(i->queue, at);
    give_back(i);
}
