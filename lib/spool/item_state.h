/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The inside of a taken trace, for pending.c, which gives it out and takes it back, and archiving.c,
 * which moves it to the archive.
 */

#include "lib/spool/disk/archival.h"
#include "lib/spool/item.h"
#include "lib/spool/core/items.h"
#include "lib/spool/queue.h"

struct archiving;

struct spool_item {
    struct items *items;
    struct queue *queue;
    struct archiving *archiving;
    const char *key; /* the index's: nobody else removes a busy item */
    usec time;
    int fd;
    uint64_t size;
    struct buf record;
    bool has_record;

    /* From spool_item_archive on. */
    struct archival archival;
    struct spool_item *next;
    bool keep;
    spool_archived_fn fn;
    void *userdata;
};

/* Item `at`, which it does not make busy. NULL without memory. */
struct spool_item *item_new(struct items *items, size_t at);
void item_free(struct spool_item *i);

/* Opens trace and record: 0, -ENOENT when the trace is no longer there, or another errno. */
int item_open(struct spool_item *i);

/* Its place in the index. */
size_t item_place(const struct spool_item *i);

/* So many, of which this is the first, are no longer there. */
void item_log_gone(const struct items *items, uint64_t n, const char *first);
