/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One capture's file in incoming/, with the room reserved for it, from its first byte to its end:
 * published under a key, or unlinked. It begins with spool_file_new.
 */

#include <stdint.h>

#include "lib/record/name.h"

struct spool_file;

/* Told on the event loop, never from inside the call that asked: 0 when the room is there,
 * -ENOSPC (or another errno) when it cannot be had; the reservation is then as it was before. */
typedef void (*spool_room_fn)(struct spool_file *f, int r, void *userdata);

/* Raises the reservation to `room` bytes in all. 1: granted; 0: the function given to
 * spool_file_new will tell; negative: refused. */
int spool_file_grow(struct spool_file *f, uint64_t room);

/* The descriptor to write to; borrowed. -1 while the room is being made. */
int spool_file_fd(const struct spool_file *f);

/* Gives up: the file is unlinked on a disk thread and the room released once it is gone. NULL is
 * fine. */
void spool_file_discard(struct spool_file *f);

/* `key` is the one under which it was published, valid during the call; NULL when r < 0. */
typedef void (*spool_published_fn)(int r, const char *key, void *userdata);

/*
 * Makes the first `bytes` bytes durable under the name's key, its record (JSON text, copied) before
 * it: fsync, rename, fsync of the directories. The next free sequence is taken when the key is in
 * use. On any error nothing of it stays. The file is the spool's from here on.
 */
void spool_file_publish(struct spool_file *f, const struct name *name, uint64_t bytes,
                        const char *record_json, spool_published_fn fn, void *userdata);
