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

#include "base/buf.h"
#include "base/disk.h"
#include "daemon/outcome/meters.h"
#include "lib/spool/spool.h"
#include "lib/store/http/breaker.h"
#include "lib/store/interface/store.h"

struct uploader;

struct uploader_stats {
    uint64_t ends[STORE_END_COUNT]; /* of tries, each of a trace with its record, by class */
    uint64_t bytes;                 /* of traces that arrived */
    usec last_success;              /* real time; 0: none yet */
    unsigned in_flight;
    enum breaker_state breaker;
    usec credentials_expiry; /* real time; 0: never, or there are none */
};

/*
 * Event, disk and spool are borrowed; the spool must publish into pending/. `host` is this
 * machine's name for the write probe's object. 0 or a negative errno.
 */
int uploader_new(sd_event *event, struct disk *disk, struct spool *spool, const char *host,
                 uint64_t random, struct uploader **ret);

/* Where uploads that succeeded are reported; borrowed. NULL at first: nowhere. */
void uploader_set_meters(struct uploader *u, struct meters *m);

/* Ends what is in flight, as uploader_cut, and frees the store. What is being settled is the
 * spool's. To be called before spool_free. NULL is fine. */
void uploader_free(struct uploader *u);

/*
 * Uploads to this store from now on; takes it; NULL: nothing is uploaded. What is in flight goes on
 * with the old one, which is freed after it. `keep`: what was uploaded stays in archive/. A write
 * probe tells the log whether uploads will work; nothing else is sent before it is answered. Then
 * all that waits is tried, also what had been put off or aside. Not to be called from inside a
 * store's callback.
 */
void uploader_set(struct uploader *u, struct store *store, unsigned concurrency, bool keep);

/* Somebody may have mended what was wrong: what was put off or aside is tried again, and a store in
 * trouble is asked now. */
void uploader_try_again(struct uploader *u);

/*
 * contraced is stopping: what is pending still goes out while the store takes it, but nothing waits
 * for a store in trouble any more.
 */
void uploader_drain(struct uploader *u);

/* Ends what is in flight; it stays in pending/. Being settled goes on to its end. */
void uploader_cut(struct uploader *u);

/*
 * Nothing is in flight, and nothing will be started before something happens. While draining: nor
 * will it soon. A write probe alone is not waited for.
 */
bool uploader_idle(const struct uploader *u);

/* Whether all that was published since uploader_new is confirmed by the store (or was deleted). */
bool uploader_all_sent(const struct uploader *u);

void uploader_stats(const struct uploader *u, struct uploader_stats *ret);

/* Whether the store is in trouble or waits for somebody to act. */
bool uploader_failing(const struct uploader *u);

/* "; uploads: 12 done, 1 retry, 3 left in pending/": the classes that occurred, for the log. */
void uploader_describe(const struct uploader *u, struct buf *out);
