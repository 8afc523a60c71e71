/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Objects as files in a directory, each under its key. A stored object is durable (file and
 * directories are synced), whole (written under a temporary name, then renamed) and correct (hashed
 * while it is written). The base directory is never created: if its disk is not mounted, the disk
 * below must not fill up. Symbolic links below it are not followed. All functions block: call them
 * on a disk thread.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "lib/store/interface/store.h"

#define DIRECTORY_STALE USEC_PER_DAY /* a temporary file of this age has no writer any more */

/* An object to write; everything is borrowed. */
struct directory_file {
    const char *key;
    const void *data; /* NULL: */
    int fd;           /* … the first `size` bytes of this file */
    uint64_t size;
    const char *sha256;      /* lower-case hex; NULL: not known */
    bool if_none_match;      /* an existing file with other content stays: STORE_REFUSED */
    const atomic_bool *stop; /* cancelled: nobody waits for the result */
};

/* Only into the directory with the same mark as the last time. */
struct mark;
void directory_put(const char *base, struct mark *mark, const struct directory_file *f,
                   struct store_result *ret);

/* Size and hash; reads the whole file. */
void directory_head(const char *base, const char *key, const atomic_bool *stop,
                    struct store_result *ret);

/* Opens the directory, or a file in it. A descriptor, or -1 with *ret filled. */
int directory_open(const char *base, struct store_result *ret);
int directory_open_file(const char *base, const char *key, struct store_result *ret);

/* True for the name of a temporary file; and for a name that is no object's. */
bool directory_is_aside(const char *leaf);
bool directory_is_ours(const char *leaf);
