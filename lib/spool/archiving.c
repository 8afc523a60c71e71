/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What was uploaded on its way into the archive. What is moved together shares its fsyncs: so while
 * other uploads are in flight one waits a moment for theirs, and one disk job at a time moves all
 * that waits of one day.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/spool/item.h"

#define ARCHIVING_MANY (ARCHIVING_BATCH / 2) /* do not wait for others */
#define ARCHIVING_WAIT (50 * USEC_PER_MSEC)

static bool same_day(const struct spool_item *a, const struct spool_item *b)
{
    size_t n = (size_t)(tree_leaf(a->key) - a->key);

    return a->keep == b->keep && n == (size_t)(tree_leaf(b->key) - b->key) &&
           memcmp(a->key, b->key, n) == 0;
}

/* On a disk thread. */
static int run_batch(struct disk_job *job)
{
    struct archiving *batch = (struct archiving *)job;
    struct archival *archivals[ARCHIVING_BATCH];
    struct tree *tree = &batch->items[0]->spool->tree;

    for (size_t i = 0; i < batch->n; i++)
        archivals[i] = &batch->items[i]->archival;
    if (batch->items[0]->keep)
        archival_run(tree, archivals, batch->n);
    for (size_t i = 0; i < batch->n; i++) {
        struct spool_item *item = batch->items[i];

        if (!item->keep)
            item->archival.result = tree_remove(tree->pending, item->key);
        item->fd = close_fd(item->fd); /* only now are the blocks of a deleted one free */
    }
    return 0;
}

/* It stays in pending/. Another upload would not help against what has its place in archive/. */
static void archive_failed(struct spool_item *i, size_t at, int r)
{
    struct log_fields fields = {.key = i->key, .message_id = MESSAGE_ID_STORAGE};
    struct spool *s = i->spool;

    item_at(s, at)->uploaded = true;
    if (r == -EEXIST) {
        queue_never(s, at);
        log_write(LOG_LEVEL_ERROR, &fields,
                  "%s was uploaded, but something else has its name in %s/archive; it stays in"
                  " pending and is put aside",
                  i->key, s->tree.path);
    } else if (queue_rest(s, at)) {
        log_write(LOG_LEVEL_ERROR, &fields,
                  "%s was uploaded, but cannot be %s %s/pending: %s; this and others like it stay"
                  " there; that is tried again in 5s, and then less and less often",
                  i->key, i->keep ? "moved to archive from" : "deleted from", s->tree.path,
                  strerror(-r));
    }
}

static void update_index(struct spool_item *i, int r)
{
    struct spool *s = i->spool;
    size_t at = item_place(i);

    item_free_again(s, at);
    if (i->keep && (r >= 0 || i->archival.in_archive)) {
        index_archive(&s->kept, at);
        spool_will_expire(s, i->time);
    } else if (r >= 0) {
        recent_add(&s->recent, i->key);
        item_drop(s, at);
    } else if (i->archival.gone) {
        item_log_gone(s, 1, i->key);
        item_drop(s, at);
    } else {
        archive_failed(i, at, r);
    }
}

static void end_archiving(struct spool_item *i)
{
    struct spool *s = i->spool;
    int r = i->archival.result;
    char key[NAME_KEY_MAX];

    (void)snprintf(key, sizeof(key), "%s", i->key);
    update_index(i, r);
    if (i->fn && !s->closing)
        i->fn(r, key, i->userdata);
    item_free(i);
    spool_job_ended(s);
}

static void archive_some(struct spool *s);

static void on_archived(struct disk_job *job, int r)
{
    struct archiving *batch = (struct archiving *)job;
    struct spool_item *items[ARCHIVING_BATCH];
    size_t n = batch->n;

    (void)r;
    memcpy(items, batch->items, n * sizeof(struct spool_item *));
    batch->n = 0;
    archive_some(items[0]->spool);
    for (size_t i = 0; i < n; i++)
        end_archiving(items[i]);
}

/* The first that waits, and all of its day. */
static void start_batch(struct spool *s)
{
    struct archiving *batch = &s->archiving;
    struct spool_item **link = &s->to_archive;

    if (batch->n > 0 || !s->to_archive)
        return;
    while (*link && batch->n < ARCHIVING_BATCH) {
        struct spool_item *item = *link;

        if (batch->n > 0 && !same_day(batch->items[0], item)) {
            link = &item->next;
            continue;
        }
        batch->items[batch->n++] = item;
        *link = item->next;
        s->n_to_archive--;
    }
    batch->job = (struct disk_job){.run = run_batch, .done = on_archived};
    disk_submit(s->disk, &batch->job);
}

/* Now, or in a moment. */
static void archive_some(struct spool *s)
{
    int on = SD_EVENT_OFF;

    if (!s->to_archive)
        return;
    if (s->taken == 0 || s->n_to_archive >= ARCHIVING_MANY || !s->archiving_wait) {
        start_batch(s);
        return;
    }
    (void)sd_event_source_get_enabled(s->archiving_wait, &on);
    if (on != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time_relative(s->archiving_wait, ARCHIVING_WAIT);
    (void)sd_event_source_set_enabled(s->archiving_wait, SD_EVENT_ONESHOT);
}

static int on_wait_over(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    start_batch(userdata);
    return 0;
}

int archiving_start(struct spool *s)
{
    int r = sd_event_add_time(s->event, &s->archiving_wait, CLOCK_MONOTONIC, 0, USEC_PER_MSEC,
                              on_wait_over, s);

    return r < 0 ? r : sd_event_source_set_enabled(s->archiving_wait, SD_EVENT_OFF);
}

/* What waits is moved without waiting any longer. */
void archiving_stop(struct spool *s)
{
    s->archiving_wait = sd_event_source_disable_unref(s->archiving_wait);
    start_batch(s);
}

void archiving_untaken(struct spool *s)
{
    s->taken--;
    archive_some(s);
}

void spool_item_archive(struct spool_item *i, bool keep, spool_archived_fn fn, void *userdata)
{
    struct spool *s = i->spool;
    struct spool_item **link = &s->to_archive;

    i->keep = keep;
    i->fn = fn;
    i->userdata = userdata;
    i->archival = (struct archival){.key = i->key};
    i->next = NULL;
    while (*link)
        link = &(*link)->next;
    *link = i;
    s->n_to_archive++;
    s->jobs++; /* from here on, and until end_archiving */
    archiving_untaken(s);
}
