/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The spool owns every path below storage.path. A file's state is the directory in which it stands:
 * incoming/ (being written), pending/ (durable, not uploaded), archive/ (uploaded, or upload is
 * off). It keeps the index of what is there, reserves room before a byte is written, carries out
 * retention, and refuses what it did not make (symlinks, foreign owners).
 *
 * All functions run on the event loop's thread; what waits for the disk goes to the disk threads.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/disk.h"
#include "lib/record/record.h"
#include "lib/spool/file.h"
#include "lib/spool/item.h"
#include "lib/spool/kept.h"
#include "lib/spool/core/retention.h"
#include "lib/spool/core/space.h"

struct spool;

/*
 * Creates the directory if it is missing, for whoever has to have it before spool_new, which says
 * what is wrong with it. 0 or a negative errno.
 */
int spool_prepare(const char *path);

/*
 * Opens or creates the directory, takes its lock, sweeps incoming/ and orphans, and builds the
 * index. Logs what is wrong and returns a negative errno: -EBUSY when another process holds the
 * lock. `upload`: publish into pending/ instead of archive/.
 */
int spool_new(sd_event *event, struct disk *disk, const char *path,
              const struct retention_limits *limits, bool upload, struct spool **ret);

/*
 * Every spool_file and every spool_item must be gone. What is still on the disk threads keeps the
 * spool's insides (and the lock) until disk_free has waited for it; nobody is called back any more.
 * So: this first, then disk_free.
 */
void spool_free(struct spool *s);

/* New limits after a reload; a pass follows at once. */
void spool_set_limits(struct spool *s, const struct retention_limits *limits);

/* Where captures are published from now on: in pending/ if `upload`, else in archive/. */
void spool_set_upload(struct spool *s, bool upload);

/* True from when a new file was refused for want of room until one has it again. */
bool spool_refusing(const struct spool *s);

/*
 * Opens a new file in incoming/ (O_EXCL) and reserves `room` bytes for it. 1: both done. 0: the
 * room is being made, `fn` will tell. Negative errno (-ENOSPC, -EMFILE, -EROFS, …): no file.
 * In the first two cases *ret is the caller's until spool_file_discard or spool_file_publish.
 */
int spool_file_new(struct spool *s, uint64_t room, spool_room_fn fn, void *userdata,
                   struct spool_file **ret);

/*
 * A write to a file failed with ENOSPC or EDQUOT although its room was reserved, as quotas make it:
 * the next files take the place of the oldest traces for a while.
 */
void spool_found_full(struct spool *s);

/*
 * Asked about each trace as soon as it was published, before anybody else is told of it: for how
 * long is it to wait in pending/ for its record, which is going to be amended? 0: not at all. The
 * spool needs the answer to offer the trace for its upload. A trace that waits is offered when that
 * time is over, when it was amended, or after spool_release, which may also be called from inside
 * this function. Until then room is kept for the longer record. Retention may delete the trace.
 * `key` is valid during the call.
 */
typedef usec (*spool_hold_fn)(void *userdata, const char *key);
void spool_set_hold_fn(struct spool *s, spool_hold_fn fn, void *userdata);

/* The record of a trace that waits for it will not be amended: the trace is offered. */
void spool_release(struct spool *s, const char *key);

/* Opens a kept trace, wherever it stands: 0, -ENOENT when it is no longer there, or another errno. */
int spool_open(const struct spool *s, const char *key, int *ret_fd);

/* Its record, likewise. */
int spool_open_record(const struct spool *s, const char *key, int *ret_fd);

/* A page of what is kept. 0; -ENOMEM; or -EINVAL when `before` is no key. */
int spool_list(struct spool *s, const struct spool_query *query, spool_listed_fn fn, void *userdata,
               struct spool_list **ret);

/* 0: the record is durably a new one. -ENOENT: the trace, or its record, is no longer there.
 * Otherwise the record is most probably as it was. `key` is valid during the call. */
typedef void (*spool_amended_fn)(int r, const char *key, void *userdata);

/*
 * Writes what was found out about a trace that is held into its record, as soon as nobody has the
 * trace, and offers it for its upload, also when that fails. Copies everything. fn is told later,
 * never from here. 0; or -ENOMEM, and nothing was done.
 */
int spool_amend(struct spool *s, const char *key, const struct record_amendment *what,
                spool_amended_fn fn, void *userdata);

/*
 * Called on the event loop, never from inside another call, when there may be something to take:
 * after a publication, when what was put off or aside is offered again, and once after this call
 * when pending/ is not empty. Several reasons make one call. spool_item_return is no reason.
 */
typedef void (*spool_pending_fn)(void *userdata);
void spool_set_pending_fn(struct spool *s, spool_pending_fn fn, void *userdata);

/*
 * Takes the newest trace that is neither taken, being deleted, put off nor put aside: 1; 0 when
 * there is none. A negative errno when it cannot be opened: the spool logs that and puts that one
 * off for a while. -EMFILE, -ENFILE and -ENOMEM say nothing of the trace: it stays on offer,
 * and it is the caller who waits a while and logs that.
 */
int spool_take(struct spool *s, struct spool_item **ret);

/* Offers what was put off or aside, and forgets how often that was. */
void spool_offer_again(struct spool *s);

/* Offers what was put off. */
void spool_offer_put_off(struct spool *s);

/* Offers one that was put aside, if it still is. */
void spool_offer_key(struct spool *s, const char *key);

/* When there is something to take: 0 at once, USEC_NEVER when nothing waits but what is taken or
 * put aside, otherwise the boot time at which the next that was put off is offered. */
usec spool_next_offer(struct spool *s);

/* Whether pending/ holds a trace that began at `time` (real time) or later. */
bool spool_pending_since(const struct spool *s, usec time);

struct spool_stats {
    uint64_t archive_files, archive_bytes;
    uint64_t pending_files, pending_bytes;
    uint64_t aside_files; /* of the pending ones, put aside */
    uint64_t reserved_bytes;
    uint64_t deleted[RETENTION_CAUSES];
    uint64_t dropped_unsent;
    usec oldest_archive; /* real time of its key; 0: there is none */
    usec oldest_pending; /* real time of its key; 0: nothing is pending */
    usec oldest, newest; /* real time of the keys; 0 when nothing is kept */
};
void spool_stats(const struct spool *s, struct spool_stats *ret);

/* What its file system still holds. 0 or an errno. */
int spool_space(const struct spool *s, struct space *ret);

/* True while something is in flight on the disk threads or waits for room. */
bool spool_busy(const struct spool *s);
