/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lists the files below a directory in ascending order of their keys (relative paths). Keeps only
 * the names of the directories on the current path in memory, follows no symbolic links, and skips
 * directories that cannot have wanted keys. Blocks: call it on a disk thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define WALK_DEPTH_MAX 16      /* depth of directories */
#define WALK_NAMES_MAX 1000000 /* entries of one directory */
#define WALK_KEY_MAX 1024      /* bytes of a key */

struct walk;

/* Borrowed until the next call. */
struct walk_entry {
    const char *key;
    uint64_t size;
    usec modified;    /* real time */
    int dir;          /* a descriptor of the directory that it is in, */
    const char *leaf; /* … under this name */
};

/*
 * Starts a walk over keys that start with `prefix` and come after `after`; "" and "": all. Takes
 * over `base`, an open directory, in any case. 0 or -ENOMEM.
 */
int walk_new(int base, const char *prefix, const char *after, struct walk **ret);
void walk_free(struct walk *w);

/*
 * The next file. 1; 0 at the end; or a negative errno for something that could not be read:
 * walk_where tells its key, and the walk may continue. -E2BIG: beyond a bound above.
 */
int walk_next(struct walk *w, struct walk_entry *ret);
const char *walk_where(const struct walk *w);
