/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One capture's file in incoming/ and the room that is reserved for it. spool_file_new makes it; it
 * ends when it is published under a key or unlinked.
 */

#include <stdint.h>

#include "lib/record/name.h"

struct spool_file;

/* Called on the event loop, never from inside the call that asked. r is 0 when the room is
 * reserved, or -ENOSPC or another negative errno; the reservation is then as it was before. */
typedef void (*spool_room_fn)(struct spool_file *f, int r, void *userdata);

/* Raises the reservation to `room` bytes in all. 1: granted; 0: the function given to
 * spool_file_new will be called; a negative errno: refused. */
int spool_file_grow(struct spool_file *f, uint64_t room);

/* The descriptor to write to; borrowed. -1 while the file waits for its first room. */
int spool_file_fd(const struct spool_file *f);

/* Gives up: a disk thread unlinks the file, then its room is released. NULL is fine. */
void spool_file_discard(struct spool_file *f);

/* Raises the name's sequence until no capture has its key, whatever the suffix. So the key without
 * suffix stands for what is published next under this name, and for nothing older. */
void spool_file_choose_stem(const struct spool_file *f, struct name *name);

/* r is 0 or a negative errno. `key` is the key under which the file was published, valid during the
 * call; NULL when r < 0. */
typedef void (*spool_published_fn)(int r, const char *key, void *userdata);

/*
 * Publishes the first `bytes` bytes under the name's key, durably: fsync, rename, fsync of the
 * directories. The record (JSON text, copied) is put in place before the trace. If the key is in
 * use, the next free sequence is taken. On an error the file is unlinked. From this call on the
 * file belongs to the spool.
 */
void spool_file_publish(struct spool_file *f, const struct name *name, uint64_t bytes,
                        const char *record_json, spool_published_fn fn, void *userdata);
