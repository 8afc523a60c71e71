/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The fields of a taken trace. pending.c gives it out and takes it back, archiving.c moves it to
 * the archive.
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
    const char *key; /* borrowed from the index, which keeps it: nobody else removes a busy item */
    usec time;
    int fd;
    uint64_t size;
    struct buf record;
    bool has_record;

    /* Set by spool_item_archive. */
    struct archival archival;
    struct spool_item *next;
    bool keep;
    spool_archived_fn fn;
    void *userdata;
};

/* Makes an item for place `at` of the index, but does not mark that as busy. NULL without
 * memory. */
struct spool_item *item_new(struct items *items, size_t at);
void item_free(struct spool_item *i);

/* Opens the trace and reads its record. 0, -ENOENT when the trace is no longer there, or another
 * negative errno. */
int item_open(struct spool_item *i);

/* The item's place in the index. */
size_t item_place(const struct spool_item *i);

/* Logs that `n` pending traces are no longer there; `first` is the key of the first one. */
void item_log_gone(const struct items *items, uint64_t n, const char *first);
