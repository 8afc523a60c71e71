/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Many small files in one archive, in the format of Go's txtar: a line "-- NAME --" precedes each.
 * What stands before the first such line is a comment. A file that does not end with a newline
 * cannot be in an archive.
 */

#include <stdbool.h>
#include <stddef.h>

#define TXTAR_NAME_SIZE 128

struct txtar_file {
    char name[TXTAR_NAME_SIZE];
    const char *data; /* in the archive */
    size_t len;
};

/* Finds the next file at or after *at, and moves *at to its end. False: there is none. */
bool txtar_next(const char **at, const char *end, struct txtar_file *ret);
