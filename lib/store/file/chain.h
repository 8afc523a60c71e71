/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The way from a directory to a file below it: the directories in between, all held open, so that
 * they can be synced. No symbolic link is followed, and none leads out of it: a key with an empty
 * part, "." or ".." is refused.
 */

#include <stdbool.h>

#define CHAIN_MAX 16 /* directories, the first one included */

struct chain {
    int fds[CHAIN_MAX]; /* from the first, which the caller puts in, to the one of the file */
    unsigned n;
    const char *leaf; /* the file's name there; points into the key */
};

/*
 * Goes on to the directory of the key; with `make`, what is missing is made. 0 or a negative errno:
 * -EINVAL for a key that can't be a path.
 */
int chain_walk(struct chain *c, const char *key, bool make);

/* The directory that the file is in. */
int chain_dir(const struct chain *c);

/*
 * Syncs all of them. Directories that were there already, too: who made them may not have come to
 * it, and syncing a clean one costs little. 0 or a negative errno.
 */
int chain_sync(const struct chain *c);

void chain_close(struct chain *c);
