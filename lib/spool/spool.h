/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The spool owns every path below storage.path but rows/. The directory that a file is in is its state:
 * incoming/ (being written), pending/ (durable, not uploaded), archive/ (uploaded, or upload is
 * off). The spool keeps the index of the traces, reserves room before a byte is written, carries
 * out retention, and refuses files that it did not make (symlinks, foreign owners).
 *
 * All functions run on the event loop's thread; work that waits for the disk goes to the disk
 * threads.
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
 * Creates the directory if it is missing, for callers that need it before spool_new. Logs nothing;
 * spool_new says what is wrong. 0 or a negative errno.
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
 * Every spool_file and every spool_item must have ended. Jobs that are still on the disk threads
 * keep the spool's memory and its lock until disk_free has waited for them; no function is called
 * back any more. So call this first, then disk_free.
 */
void spool_free(struct spool *s);

/* Sets new limits after a reload; retention applies them at once. */
void spool_set_limits(struct spool *s, const struct retention_limits *limits);

/* Sets where captures are published from now on: in pending/ if `upload`, else in archive/. */
void spool_set_upload(struct spool *s, bool upload);

/* True after a new file was refused for lack of room, until one is granted again. */
bool spool_refusing(const struct spool *s);

/*
 * Reserves `room` bytes and opens a new file in incoming/ (O_EXCL). 1: both done. 0: the file waits
 * for its room, and `fn` will be called. A negative errno (-ENOSPC, -EMFILE, -EROFS, …): no file.
 * In the first two cases *ret is the caller's until spool_file_discard or spool_file_publish.
 */
int spool_file_new(struct spool *s, uint64_t room, spool_room_fn fn, void *userdata,
                   struct spool_file **ret);

/*
 * Tells that a write to a file failed with ENOSPC or EDQUOT although its room was reserved, as
 * happens with quotas. For an hour the next files then take the place of the oldest traces.
 */
void spool_found_full(struct spool *s);

/*
 * Called for each trace as soon as it is published, before any other function hears of it. Returns
 * how long the trace is to wait in pending/ for its record to be amended; 0: not at all. A trace
 * that waits is offered for its upload when that time is over, when its record was amended, or
 * after spool_release, which may also be called from inside this function. Until then room is kept
 * for the longer record. Meanwhile retention may delete the trace. `key` and
 * `record`, which is its text, are valid during the call.
 */
typedef usec (*spool_hold_fn)(void *userdata, const char *key, const char *record);
void spool_set_hold_fn(struct spool *s, spool_hold_fn fn, void *userdata);

/*
 * Called for each trace whose record is complete: when it is published without having to wait, when
 * its record was amended, and when it is released. Twice for one that is amended after all. The
 * record can be opened from inside the call; later the trace may be gone.
 */
typedef void (*spool_final_fn)(void *userdata, const char *key);
void spool_set_final_fn(struct spool *s, spool_final_fn fn, void *userdata);

/* Tells that the record of a waiting trace will not be amended: the trace is offered now. */
void spool_release(struct spool *s, const char *key);

/* Opens a kept trace, in pending/ or archive/. 0, -ENOENT when it is no longer there, or another
 * negative errno. */
int spool_open(const struct spool *s, const char *key, int *ret_fd);

/*
 * Makes a file without a name, for what is made of a trace and not kept. Nobody counts it: who writes
 * into it must bound that. 0; -ENOSPC while the spool refuses files; or another negative errno.
 */
int spool_scratch(const struct spool *s, int *ret_fd);

/* Opens the record of a kept trace, likewise. */
int spool_open_record(const struct spool *s, const char *key, int *ret_fd);

/* Makes a page of the kept traces and gives it to `fn`. 0; or a negative errno, such as -ENOMEM, or
 * -EINVAL when `before` is no key. */
int spool_list(struct spool *s, const struct spool_query *query, spool_listed_fn fn, void *userdata,
               struct spool_list **ret);

/* r is 0: the new record is durable. -ENOENT: the trace or its record is no longer there. Any other
 * negative errno: the record is most probably as it was. `key` is valid during the call. */
typedef void (*spool_amended_fn)(int r, const char *key, void *userdata);

/*
 * Writes what was found out about a trace into its record, as soon as the trace is idle. Then
 * offers the trace for its upload if it waited for this, also after an error. Copies everything. fn
 * is called later, never from inside this call. 0; or -ENOMEM, and nothing was done.
 */
int spool_amend(struct spool *s, const char *key, const struct record_amendment *what,
                spool_amended_fn fn, void *userdata);

/*
 * Called on the event loop, never from inside another call, when there may be something to take:
 * after a publication, when traces that were put off or aside are offered again, and once after
 * spool_set_pending_fn if pending/ is not empty. Several such events may make one call.
 * spool_item_return does not cause one.
 */
typedef void (*spool_pending_fn)(void *userdata);
void spool_set_pending_fn(struct spool *s, spool_pending_fn fn, void *userdata);

/*
 * Takes the newest trace that is not taken, being deleted, put off or put aside. 1; 0 when there is
 * none; or a negative errno when it cannot be opened: the spool logs that and puts the trace off
 * for a while. -EMFILE, -ENFILE and -ENOMEM are no fault of the trace: it stays on offer, and the
 * caller should log the error and wait a while.
 */
int spool_take(struct spool *s, struct spool_item **ret);

/* Offers all traces that were put off or aside, and sets their failures to 0. Those that wait for
 * their records go on waiting. */
void spool_offer_again(struct spool *s);

/* Offers all traces that were put off, but for those that wait for their records. */
void spool_offer_put_off(struct spool *s);

/* Offers one trace that was put aside, if it still is. */
void spool_offer_key(struct spool *s, const char *key);

/* When there will be something to take. 0: now. USEC_NEVER: nothing is left but traces that are
 * taken or put aside. Otherwise the boot time at which the next trace that was put off is
 * offered. */
usec spool_next_offer(struct spool *s);

/* Whether pending/ holds a trace that began at `time` (real time) or later. */
bool spool_pending_since(const struct spool *s, usec time);

struct spool_stats {
    uint64_t archive_files, archive_bytes;
    uint64_t pending_files, pending_bytes;
    uint64_t aside_files; /* pending traces that are put aside */
    uint64_t reserved_bytes;
    uint64_t deleted[RETENTION_CAUSES];
    uint64_t dropped_unsent;
    usec oldest_archive; /* real time of its key; 0: there is none */
    usec oldest_pending; /* real time of its key; 0: nothing is pending */
    usec oldest, newest; /* real time of the keys; 0 when nothing is kept */
};
void spool_stats(const struct spool *s, struct spool_stats *ret);

/* Reads the free space of the spool's file system. 0 or a negative errno. */
int spool_space(const struct spool *s, struct space *ret);

/* True while a job is on the disk threads or a file waits for room. */
bool spool_busy(const struct spool *s);
