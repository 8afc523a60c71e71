/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A directory that keeps objects: each is a file under its key. What is said to be stored lasts
 * (file and directories are synced), is whole (written aside and renamed) and is what was meant
 * (hashed on its way). The directory itself is never made, so that what belongs on a disk that is
 * not mounted does not fill the one below; and no symbolic link below it is followed. All of this
 * blocks: for a disk thread.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "lib/store/interface/store.h"

#define DIRECTORY_STALE USEC_PER_DAY /* a file written aside that is so old has no writer */

/* What is to be written; all borrowed. */
struct directory_file {
    const char *key;
    const void *data; /* NULL: */
    int fd;           /* … the first `size` bytes of this file */
    uint64_t size;
    const char *sha256;      /* lower-case hex; NULL: not known */
    bool if_none_match;      /* a file of other content that is there stays, and is STORE_REFUSED */
    const atomic_bool *stop; /* give up; nobody hears of it */
};

/* Into the directory that it was the last time, as its mark says. */
struct mark;
void directory_put(const char *base, struct mark *mark, const struct directory_file *f,
                   struct store_result *ret);

/* Size and hash: all of the file is read. */
void directory_head(const char *base, const char *key, const atomic_bool *stop,
                    struct store_result *ret);

/* Opens the directory, or a file in it: a descriptor, or -1 with *ret filled. */
int directory_open(const char *base, struct store_result *ret);
int directory_open_file(const char *base, const char *key, struct store_result *ret);

/* True for the name of a file that is written aside; and for one that is no object. */
bool directory_is_aside(const char *leaf);
bool directory_is_ours(const char *leaf);
