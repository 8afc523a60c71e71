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

#include "daemon/spool/disk.h"
#include "daemon/spool/name.h"
#include "daemon/spool/record.h"
#include "daemon/spool/retention.h"

struct spool;
struct spool_file; /* one capture's file in incoming/, with the room reserved for it */

/*
 * Opens or creates the directory, takes its lock, sweeps incoming/ and orphans, and builds the
 * index. Logs what is wrong and returns a negative errno: -EBUSY when another process holds the
 * lock. `upload`: publish into pending/ instead of archive/.
 */
int spool_new(sd_event *event, struct disk *disk, const char *path,
              const struct retention_limits *limits, bool upload, struct spool **ret);

/*
 * Every spool_file must be gone. What is still on the disk threads keeps the spool's insides (and
 * the lock) until disk_free has waited for it; nobody is called back any more. So: this first, then
 * disk_free.
 */
void spool_free(struct spool *s);

/* New limits after a reload; a pass follows at once. */
void spool_set_limits(struct spool *s, const struct retention_limits *limits);

/* Told on the event loop, never from inside the call that asked: 0 when the room is there,
 * -ENOSPC (or another errno) when it cannot be had; the reservation is then as it was before. */
typedef void (*spool_room_fn)(struct spool_file *f, int r, void *userdata);

/* True while the spool has said in the log that there is no room, or did within the last minute. */
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

struct spool_stats {
    uint64_t archive_files, archive_bytes;
    uint64_t pending_files, pending_bytes;
    uint64_t reserved_bytes;
    uint64_t deleted[RETENTION_CAUSES];
    uint64_t dropped_unsent;
    usec oldest, newest; /* real time of the keys; 0 when nothing is kept */
};
void spool_stats(const struct spool *s, struct spool_stats *ret);

/* True while something is in flight on the disk threads or waits for room. */
bool spool_busy(const struct spool *s);

