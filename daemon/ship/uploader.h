/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Takes each trace from pending/ to the store and then to archive/: take the newest, upload the
 * trace, upload its record, archive it. The only place that knows both the spool and the store. It
 * decides when to ask the store: a limited number of uploads at a time, and after trouble only as
 * the circuit breaker allows.
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

/* Called whenever no trace waits and something else may be sent. */
typedef void (*uploader_spare_fn)(void *userdata);

struct uploader_stats {
    uint64_t ends[STORE_END_COUNT]; /* tries by class; each is of a trace with its record */
    uint64_t bytes;                 /* of traces that arrived */
    usec last_success;              /* real time; 0: none yet */
    unsigned in_flight;
    enum breaker_state breaker;
    usec credentials_expiry; /* real time; 0: they do not expire, or there are none */
};

/*
 * Disk and spool are borrowed; the spool must publish into pending/. `host` is this machine's name,
 * for the key of the write probe. 0 or a negative errno.
 */
int uploader_new(sd_event *event, struct disk *disk, struct spool *spool, const char *host,
                 uint64_t random, struct uploader **ret);

/* Sets where successful uploads are reported; borrowed. NULL, as at first: nowhere. */
void uploader_set_meters(struct uploader *u, struct meters *m);

/* Ends uploads like uploader_cut, and frees the store. Items that are being archived belong to the
 * spool. To be called before spool_free. NULL is fine. */
void uploader_free(struct uploader *u);

/*
 * From now on, uploads to this store, which it owns then; NULL: uploads nothing. Uploads in flight
 * go on with the old store, which is freed after them. `keep`: uploaded traces stay in archive/. A
 * write probe is sent first, and the log says whether uploads will work. When it is answered, all
 * traces that wait are tried, also those that were put off or put aside. Must not be called from
 * inside a store's callback.
 */
void uploader_set(struct uploader *u, struct store *store, unsigned concurrency, bool keep);

/* The cause of failures may have been repaired: tries again what was put off or put aside, and asks
 * a store in trouble now. */
void uploader_try_again(struct uploader *u);

/*
 * contraced is stopping: pending traces are still uploaded as long as the store accepts them, but
 * no longer wait for a store in trouble.
 */
void uploader_drain(struct uploader *u);

/* Ends uploads in flight; their traces stay in pending/. Archiving goes on to its end. */
void uploader_cut(struct uploader *u);

/*
 * Nothing is in flight, and nothing could start now; while draining, nor within a few seconds. A
 * write probe that is under way may still start uploads, so it counts unless nothing waits.
 */
bool uploader_idle(const struct uploader *u);

/*
 * Objects that are no traces go while no trace is to be sent, one at a time. uploader_spare: whether
 * one may go now. uploader_put sends it, and calls `done` once, from the event loop or from
 * uploader_set and uploader_cut, which end it by STORE_RETRY; everything is borrowed until then.
 * 0; -EAGAIN: not now, and the function of uploader_set_spare_fn (NULL: none) is called when that
 * may have changed; or -ENOMEM.
 */
void uploader_set_spare_fn(struct uploader *u, uploader_spare_fn fn, void *userdata);
bool uploader_spare(const struct uploader *u);
int uploader_put(struct uploader *u, const struct store_object *object, store_done_fn done,
                 void *userdata);
/* Ends it; `done` is not called. */
void uploader_put_cancel(struct uploader *u);

/* The write probe is under way: nothing else is sent before it is answered. */
bool uploader_probing(const struct uploader *u);

/* Whether the store has confirmed all traces published since uploader_new, except deleted ones. */
bool uploader_all_sent(const struct uploader *u);

void uploader_stats(const struct uploader *u, struct uploader_stats *ret);

/* Whether the breaker is not closed: the store is in trouble, or a person must act. */
bool uploader_failing(const struct uploader *u);

/* Appends "; uploads: 12 done, 1 retry, 3 left in pending/", for the log: only classes that
 * occurred. */
void uploader_describe(const struct uploader *u, struct buf *out);
