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

#include "base/buf.h"
#include "base/disk.h"
#include "lib/record/name.h"
#include "lib/record/record.h"
#include "lib/spool/core/retention.h"
#include "lib/spool/core/space.h"

#define SPOOL_RECORD_MAX (256u << 10) /* bytes of a record that is uploaded */

struct spool;
struct spool_file; /* one capture's file in incoming/, with the room reserved for it */

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

/* Told on the event loop, never from inside the call that asked: 0 when the room is there,
 * -ENOSPC (or another errno) when it cannot be had; the reservation is then as it was before. */
typedef void (*spool_room_fn)(struct spool_file *f, int r, void *userdata);

/* True from when a new file was refused for want of room until one has it again. */
bool spool_refusing(const struct spool *s);

/*
 * Opens a new file in incoming/ (O_EXCL) and reserves `room` bytes for it. 1: both done. 0: the
 * room is being made, `fn` will tell. Negative errno (-ENOSPC, -EMFILE, -EROFS, …): no file.
 * In the first two cases *ret is the caller's until spool_file_discard or spool_file_publish.
 */
int spool_file_new(struct spool *s, uint64_t room, spool_room_fn fn, void *userdata,
                   struct spool_file **ret);

/* Raises the reservation to `room` bytes in all. 1: granted; 0: `fn` will tell; negative:
 * refused. */
int spool_file_grow(struct spool_file *f, uint64_t room);

/* The descriptor to write to; borrowed. -1 while the room is being made. */
int spool_file_fd(const struct spool_file *f);

/* Gives up: the file is unlinked on a disk thread and the room released once it is gone. NULL is
 * fine. */
void spool_file_discard(struct spool_file *f);

/*
 * A write to a file failed with ENOSPC or EDQUOT although its room was reserved, as quotas make it:
 * the next files take the place of the oldest traces for a while.
 */
void spool_found_full(struct spool *s);

/* `key` is the one under which it was published, valid during the call; NULL when r < 0. */
typedef void (*spool_published_fn)(int r, const char *key, void *userdata);

/*
 * Makes the first `bytes` bytes durable under the name's key, its record (JSON text, copied) before
 * it: fsync, rename, fsync of the directories. The next free sequence is taken when the key is in
 * use. On any error nothing of it stays. The file is the spool's from here on.
 */
void spool_file_publish(struct spool_file *f, const struct name *name, uint64_t bytes,
                        const char *record_json, spool_published_fn fn, void *userdata);

/*
 * Told of each trace that was published, before the publication's own callback and before the trace
 * is offered for its upload. `key` is valid during the call.
 */
typedef void (*spool_kept_fn)(void *userdata, const char *key);
void spool_set_kept_fn(struct spool *s, spool_kept_fn fn, void *userdata);

/* Opens a kept trace, wherever it stands: 0, -ENOENT when it is no longer there, or another errno. */
int spool_open(const struct spool *s, const char *key, int *ret_fd);

/*
 * The trace's record is going to be amended: room is kept for that, and the trace is not offered for
 * its upload before it was, or was given up by spool_release, or `most` is over. To be called when
 * it was just published. Retention may delete it.
 */
void spool_hold(struct spool *s, const char *key, usec most);
void spool_release(struct spool *s, const char *key);

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
 * What is in pending/ waits for its upload, the newest first. A taken trace is left alone by
 * retention until it is given back in one of three ways, each of which ends the item.
 */
struct spool_item;

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
 * off for ten minutes. -EMFILE, -ENFILE and -ENOMEM say nothing of the trace: it stays on offer,
 * and it is the caller who waits a while and logs that.
 */
int spool_take(struct spool *s, struct spool_item **ret);

/* All borrowed until the item is given back. The descriptor stands at the trace's first byte. */
const char *spool_item_key(const struct spool_item *i);
int spool_item_fd(const struct spool_item *i);
uint64_t spool_item_size(const struct spool_item *i);            /* of the trace */
const struct buf *spool_item_record(const struct spool_item *i); /* NULL: it has none */

/* It was to be archived before, which failed: the store has it already. Forgotten by
 * spool_offer_again, after which there may be another store. */
bool spool_item_uploaded(const struct spool_item *i);

/* How often it was put off or aside before, since the last spool_offer_again; at most 255. */
unsigned spool_item_failures(const struct spool_item *i);

/* Not uploaded: may be taken again at once. */
void spool_item_return(struct spool_item *i);

/* Not uploaded: not offered again before `wait` is over, rounded up to whole seconds, at most a
 * day. Retention may delete it. */
void spool_item_put_off(struct spool_item *i, usec wait);

/* The store will never take it: stays in pending/ and is not offered again until spool_offer_again,
 * spool_offer_key or a restart. Retention may delete it. */
void spool_item_put_aside(struct spool_item *i);

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

/*
 * 0: it is durably in archive/, or deleted. A negative errno: it stays in pending/ and is offered
 * again in ten minutes (-EEXIST: something else has its name in archive/, it is put aside; -ENOENT:
 * somebody removed it). The spool has logged it. `key` is valid during the call.
 */
typedef void (*spool_archived_fn)(int r, const char *key, void *userdata);

/* The store has it: moves it to archive/, or deletes it if not `keep`. fn may be NULL. */
void spool_item_archive(struct spool_item *i, bool keep, spool_archived_fn fn, void *userdata);

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
