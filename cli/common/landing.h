/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes a file into the user's directory so that it appears whole under its name, or not at all.
 * It is written as ".NAME.part" in the same directory; a part file that a killed run left is
 * replaced. All functions may wait for the disk. One thread at a time may use a landing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANDING_LEAF_MAX 256

struct landing {
    int dir, fd; /* both owned; -1: none */
    char leaf[LANDING_LEAF_MAX];
    char part[LANDING_LEAF_MAX + 8];
    uint64_t size;
};

/* Opens the user's directory, and makes it if there is none. A descriptor or a negative errno. */
int landing_open(const char *path);

/*
 * Opens the directory of `path`, relative to the directory `out`, and makes directories that are
 * missing. The path has no "." and "..". 0 or a negative errno.
 */
int landing_init(struct landing *l, int out, const char *path);

/* Removes what was begun. */
void landing_done(struct landing *l);

/* Creates the part file, or starts it again. -EBUSY: another process is writing it. */
int landing_begin(struct landing *l);
int landing_write(struct landing *l, const void *data, size_t n);

/* Makes the file durable and gives it its name. -EEXIST: a file has that name and must not be
 * replaced. */
int landing_finish(struct landing *l, bool replace);
