/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Moves uploaded traces to the archive, or deletes them if they are not kept. Traces that are moved
 * together share two fsyncs. So while other uploads are in flight, an uploaded trace waits a moment
 * for theirs to end, and one disk job at a time moves all waiting traces of one day.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/core/expiry.h"
#include "lib/spool/item.h"
#include "lib/spool/core/items.h"
#include "lib/spool/queue.h"

#define ARCHIVING_BATCH 64

/* Uploaded traces of one day that are being moved together. */
struct archiving_batch {
    struct disk_job job;
    struct archiving *archiving;
    struct spool_item *items[ARCHIVING_BATCH];
    size_t n; /* 0: no move is under way */
};

struct archiving {
    struct core *core;
    struct items *items;
    struct queue *queue;
    struct expiry *expiry;
    struct archiving_batch batch;
    struct spool_item *waiting; /* first come, first moved */
    unsigned n_waiting;
    /* Items that the uploader holds: neither given back nor handed over for archiving. */
    unsigned taken;
    sd_event_source *wait; /* timer: how long waiting items wait for others to join them */
};

/* 0 or a negative errno; call archiving_stop in either case. It moves the waiting items at once. */
int archiving_start(struct archiving *a, struct core *core, struct items *items,
                    struct queue *queue, struct expiry *expiry);
void archiving_stop(struct archiving *a);

/* Tell that the uploader holds one more item, or one less. */
void archiving_taken(struct archiving *a);
void archiving_untaken(struct archiving *a);
