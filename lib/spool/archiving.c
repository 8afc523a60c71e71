/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/archiving.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/record/name.h"
#include "lib/spool/item_state.h"

#define MANY (ARCHIVING_BATCH / 2) /* so many waiting items are moved without waiting for more */
#define WAIT (50 * USEC_PER_MSEC)

static bool same_day(const struct spool_item *a, const struct spool_item *b)
{
    size_t n = (size_t)(tree_leaf(a->key) - a->key);

    return a->keep == b->keep && n == (size_t)(tree_leaf(b->key) - b->key) &&
           memcmp(a->key, b->key, n) == 0;
}

/* On a disk thread. */
static int run_batch(struct disk_job *job)
{
    struct archiving_batch *batch = (struct archiving_batch *)job;
    struct archival *archivals[ARCHIVING_BATCH];
    struct tree *tree = &batch->archiving->core->tree;

    for (size_t i = 0; i < batch->n; i++)
        archivals[i] = &batch->items[i]->archival;
    if (batch->items[0]->keep)
        archival_run(tree, archivals, batch->n);
    for (size_t i = 0; i < batch->n; i++) {
        struct spool_item *item = batch->items[i];

        if (!item->keep)
            item->archival.result = tree_remove(tree->pending, item->key);
        item->fd = close_fd(item->fd); /* the blocks of a deleted trace are free only after this */
    }
    return 0;
}

/* The trace stays in pending/. With -EEXIST it is put aside: uploading it again would not remove
 * the other file that has its name in archive/. */
static void not_archived(struct archiving *a, const struct spool_item *i, size_t at, int r)
{
    struct log_fields fields = {.key = i->key, .message_id = MESSAGE_ID_STORAGE};
    const char *path = a->core->tree.path;

    items_at(a->items, at)->uploaded = true;
    if (r == -EEXIST) {
        queue_never(a->queue, at);
        log_write(LOG_LEVEL_ERROR, &fields,
                  "%s was uploaded, but something else has its name in %s/archive; it stays in"
                  " pending and is put aside",
                  i->key, path);
    } else if (queue_rest(a->queue, at)) {
        log_write(LOG_LEVEL_ERROR, &fields,
                  "%s was uploaded, but cannot be %s %s/pending: %s; this and others like it stay"
                  " there; that is tried again in 5s, and then less and less often",
                  i->key, i->keep ? "moved to archive from" : "deleted from", path, strerror(-r));
    }
}

static void update_index(struct archiving *a, const struct spool_item *i, int r)
{
    size_t at = item_place(i);

    items_idle(a->items, at);
    if (i->keep && (r >= 0 || i->archival.in_archive)) {
        index_archive(&a->items->index, at);
        expiry_joined(a->expiry, i->time);
    } else if (r >= 0) {
        recent_add(&a->items->recent, i->key);
        items_drop(a->items, at);
    } else if (i->archival.gone) {
        item_log_gone(a->items, 1, i->key);
        items_drop(a->items, at);
    } else {
        not_archived(a, i, at, r);
    }
}

static void end(struct archiving *a, struct spool_item *i)
{
    struct core *core = a->core;
    int r = i->archival.result;
    char key[NAME_KEY_MAX];

    (void)snprintf(key, sizeof(key), "%s", i->key);
    update_index(a, i, r);
    if (i->fn && !core->closing)
        i->fn(r, key, i->userdata);
    item_free(i);
    core_job_ended(core);
}

static void move_some(struct archiving *a);

static void on_moved(struct disk_job *job, int r)
{
    struct archiving_batch *batch = (struct archiving_batch *)job;
    struct archiving *a = batch->archiving;
    struct spool_item *items[ARCHIVING_BATCH];
    size_t n = batch->n;

    (void)r;
    memcpy(items, batch->items, n * sizeof(struct spool_item *));
    batch->n = 0;
    move_some(a);
    for (size_t i = 0; i < n; i++)
        end(a, items[i]); /* ending the last item may free the spool */
}

/* Starts to move the first waiting item and up to ARCHIVING_BATCH - 1 others of its day. */
static void start_batch(struct archiving *a)
{
    struct archiving_batch *batch = &a->batch;
    struct spool_item **link = &a->waiting;

    if (batch->n > 0 || !a->waiting)
        return;
    while (*link && batch->n < ARCHIVING_BATCH) {
        struct spool_item *item = *link;

        if (batch->n > 0 && !same_day(batch->items[0], item)) {
            link = &item->next;
            continue;
        }
        batch->items[batch->n++] = item;
        *link = item->next;
        a->n_waiting--;
    }
    batch->archiving = a;
    batch->job = (struct disk_job){.run = run_batch, .done = on_moved};
    disk_submit(a->core->disk, &batch->job);
}

/* Moves waiting items now, or sets the timer to wait a moment for others. */
static void move_some(struct archiving *a)
{
    int on = SD_EVENT_OFF;

    if (!a->waiting)
        return;
    if (a->taken == 0 || a->n_waiting >= MANY || !a->wait) {
        start_batch(a);
        return;
    }
    (void)sd_event_source_get_enabled(a->wait, &on);
    if (on != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time_relative(a->wait, WAIT);
    (void)sd_event_source_set_enabled(a->wait, SD_EVENT_ONESHOT);
}

static int on_wait_over(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    start_batch(userdata);
    return 0;
}

int archiving_start(struct archiving *a, struct core *core, struct items *items,
                    struct queue *queue, struct expiry *expiry)
{
    int r;

    *a = (struct archiving){.core = core, .items = items, .queue = queue, .expiry = expiry};
    r = sd_event_add_time(core->event, &a->wait, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_wait_over,
                          a);
    return r < 0 ? r : sd_event_source_set_enabled(a->wait, SD_EVENT_OFF);
}

void archiving_stop(struct archiving *a)
{
    a->wait = sd_event_source_disable_unref(a->wait);
    start_batch(a);
}

void archiving_taken(struct archiving *a)
{
    a->taken++;
}

void archiving_untaken(struct archiving *a)
{
    a->taken--;
    move_some(a);
}

void spool_item_archive(struct spool_item *i, bool keep, spool_archived_fn fn, void *userdata)
{
    struct archiving *a = i->archiving;
    struct spool_item **link = &a->waiting;

    i->keep = keep;
    i->fn = fn;
    i->userdata = userdata;
    i->archival = (struct archival){.key = i->key};
    i->next = NULL;
    while (*link)
        link = &(*link)->next;
    *link = i;
    a->n_waiting++;
    core_job_begins(a->core); /* until end() */
    archiving_untaken(a);
}
