/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The files below a directory, in ascending order of their keys (paths relative to it), one after
 * the other. It holds the names of the directories that it is in and no others, follows no symbolic
 * link, and does not go where no key can be that was asked for. It blocks: for a disk thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define WALK_DEPTH_MAX 16      /* directories in one another */
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
 * A walk over what begins with `prefix` and comes after `after`, both "" for everything. Takes over
 * `base`, an open directory, in any case. 0 or -ENOMEM.
 */
int walk_new(int base, const char *prefix, const char *after, struct walk **ret);
void walk_free(struct walk *w);

/*
 * The next file. 1, 0 at the end, or a negative errno of what could not be read, whose key
 * walk_where tells; the walk may go on behind it. -E2BIG: over one of the bounds above.
 */
int walk_next(struct walk *w, struct walk_entry *ret);
const char *walk_where(const struct walk *w);
