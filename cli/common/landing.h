/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a file arrives in the user's directory: whole under its name, or not at all. It is written as
 * ".NAME.part" beside its place, and what a killed run left there is replaced. Everything here may
 * wait for the disk; a landing is used by one thread at a time.
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
 * Opens the directory of `path`, which is relative to the one behind `out`, and makes what lacks of
 * it. The path has no "." and "..". 0 or a negative errno.
 */
int landing_init(struct landing *l, int out, const char *path);

/* Removes what was begun. */
void landing_done(struct landing *l);

/* Begins the file, also anew. -EBUSY: another process is writing it. */
int landing_begin(struct landing *l);
int landing_write(struct landing *l, const void *data, size_t n);

/* Makes it durable under its name. -EEXIST: something is there and must not be replaced. */
int landing_finish(struct landing *l, bool replace);
