/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Many small files in one, as Go's txtar has them: a line "-- NAME --" before each. What stands
 * before the first is a comment. A file in it ends with a newline; others cannot be in one.
 */

#include <stdbool.h>
#include <stddef.h>

#define TXTAR_NAME_SIZE 128

struct txtar_file {
    char name[TXTAR_NAME_SIZE];
    const char *data; /* in the archive */
    size_t len;
};

/* The file at *at, or behind it; *at is moved behind that file. False: there is none. */
bool txtar_next(const char **at, const char *end, struct txtar_file *ret);
