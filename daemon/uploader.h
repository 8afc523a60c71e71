/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The way of one trace from pending/ to the store and on to archive/: take the newest, put the
 * trace, put its record, settle. The only place that knows both the spool and the store. It decides
 * when the store is asked: so many at a time, after trouble by the breaker's leave.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/spool/spool.h"
#include "daemon/upload/breaker.h"
#include "daemon/upload/store.h"

struct uploader;

struct uploader_stats {
    uint64_t ends[STORE_END_COUNT]; /* of traces with their records, by class */
    uint64_t bytes;                 /* of traces that arrived */
    usec last_success;              /* real time; 0: none yet */
    unsigned in_flight;
    enum breaker_state breaker;
};

/* The spool is borrowed and must publish into pending/. 0 or a negative errno. */
int uploader_new(sd_event *event, struct spool *spool, uint64_t random, struct uploader **ret);

/* Nothing may be in flight; frees the store. NULL is fine. */
void uploader_free(struct uploader *u);

/*
 * Uploads to this store from now on; takes it. What is in flight goes on with the old one, which is
 * freed after it. `keep`: what was uploaded stays in archive/. A write probe tells the log whether
 * uploads will work; what waits is tried again at once, also what had been put aside.
 */
void uploader_set(struct uploader *u, struct store *store, unsigned concurrency, bool keep);

/*
 * contraced is stopping: what is pending still goes out while the store takes it, but nothing waits
 * for a store in trouble any more.
 */
void uploader_drain(struct uploader *u);

/* Ends what is in flight; it stays in pending/. Being settled goes on to its end. */
void uploader_cut(struct uploader *u);

/* Nothing is in flight, and nothing will be started before something happens. */
bool uploader_idle(const struct uploader *u);

void uploader_stats(const struct uploader *u, struct uploader_stats *ret);
