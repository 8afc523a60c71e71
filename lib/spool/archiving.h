/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was uploaded on its way into the archive. What is moved together shares its fsyncs: so while
 * other uploads are in flight one waits a moment for theirs, and one disk job at a time moves all
 * that waits of one day.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/expiry.h"
#include "lib/spool/item.h"
#include "lib/spool/core/items.h"
#include "lib/spool/queue.h"

#define ARCHIVING_BATCH 64

/* Uploaded traces of one day that are being moved. */
struct archiving_batch {
    struct disk_job job;
    struct archiving *archiving;
    struct spool_item *items[ARCHIVING_BATCH];
    size_t n; /* 0: none are */
};

struct archiving {
    struct core *core;
    struct items *items;
    struct queue *queue;
    struct expiry *expiry;
    struct archiving_batch batch;
    struct spool_item *waiting; /* in the order in which they came */
    unsigned n_waiting;
    unsigned taken;        /* items that are neither given back nor to be archived */
    sd_event_source *wait; /* for others to be moved with those that wait */
};

/* 0 or a negative errno; archiving_stop in any case: what waits is moved without waiting longer. */
int archiving_start(struct archiving *a, struct core *core, struct items *items,
                    struct queue *queue, struct expiry *expiry);
void archiving_stop(struct archiving *a);

/* One more item is in somebody's hands, one less. */
void archiving_taken(struct archiving *a);
void archiving_untaken(struct archiving *a);
