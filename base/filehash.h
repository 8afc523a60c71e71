/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The SHA-256 of bytes in memory, and of a file on a disk thread: the event loop does not wait.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"

#define FILEHASH_SIZE 65 /* lower-case hex and its zero */

struct filehash; /* one file being read */

/* 0 and the hash, or a negative errno and NULL: -ENODATA when the file is shorter than `size`, or
 * what reading it said. The filehash is gone. */
typedef void (*filehash_fn)(void *userdata, int r, const char *sha256);

/*
 * Begins to hash the first `size` bytes of a regular file; the descriptor is duplicated. 0 or a
 * negative errno. fn is called on the event loop, never from here.
 */
int filehash_start(struct disk *disk, int fd, uint64_t size, filehash_fn fn, void *userdata,
                   struct filehash **ret);

/* fn is not called any more. NULL is fine. */
void filehash_cancel(struct filehash *h);

/* 0 or -ENOMEM. */
int filehash_memory(const void *data, size_t n, char ret[static FILEHASH_SIZE]);
