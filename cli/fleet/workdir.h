/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Directories with rows: one of the user's, or one for a while.
 */

#include <limits.h>
#include <stdbool.h>

struct workdir {
    char path[PATH_MAX];
    int fd;         /* owned; -1: none */
    bool temporary; /* removed with all in it */
};

/* A new directory below $TMPDIR or /tmp. 0 or a negative errno. */
int workdir_make(struct workdir *w);

/* The user's: DIR itself, or DIR/.contrace/rows if that is there, as in a copy of a store. 0 or a
 * negative errno. */
int workdir_open(struct workdir *w, const char *path);

void workdir_close(struct workdir *w);

/* Whether a file with rows is where a store has them: dt=DAY/service=NAME/FILE. */
bool workdir_has_rows(const struct workdir *w);
