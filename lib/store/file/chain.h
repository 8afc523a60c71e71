/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The chain of directories from a base directory down to a file, all held open so that they can be
 * synced. Symbolic links are not followed; a key with an empty segment, "." or ".." is refused.
 */

#include <stdbool.h>

#define CHAIN_MAX 16 /* directories, including the base */

struct chain {
    int fds[CHAIN_MAX]; /* from the base, which the caller sets, to the file's directory */
    unsigned n;
    const char *leaf; /* the file's name there; points into the key */
};

/*
 * Opens the directories of the key; `make`: creates those that are missing. 0 or a negative errno:
 * -EINVAL for a key that cannot be a path.
 */
int chain_walk(struct chain *c, const char *key, bool make);

/* The directory that the file is in. */
int chain_dir(const struct chain *c);

/*
 * Syncs all directories, also those that existed before: whoever created them may not have synced
 * them, and syncing a clean one costs little. 0 or a negative errno.
 */
int chain_sync(const struct chain *c);

void chain_close(struct chain *c);
