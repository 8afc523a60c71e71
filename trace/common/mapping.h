/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Maps a trace's file, a window at a time: nothing is copied, and only needed parts are in memory.
 * If many windows are needed at once, pages are dropped and read again when they are used. A file
 * that is cut while it is read raises SIGBUS.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"

#define MAPPING_WINDOW ((size_t)4 << 20)

/* While all windows together are no larger than this, their pages stay until mapping_release. */
#define MAPPING_AMPLE ((size_t)24 << 20)

/* mapping_leave drops pages in units of this size, which is the system's read-ahead. */
#define MAPPING_UNIT ((size_t)64 << 10)

struct mapping_window;

struct mapping {
    struct memory *mem;
    int fd;
    uint64_t start; /* of the trace in the file */
    struct mapping_window *first;
    struct mapping_window *last;
    struct mapping_window *touched; /* the first window whose pages were not dropped; NULL: none */
    size_t n;
};

/* The trace begins at the descriptor's position. A negative errno if that is no regular file. */
int mapping_init(struct mapping *map, struct memory *mem, int fd);
void mapping_done(struct mapping *map);

/*
 * Maps the bytes at an offset of the trace: up to a window's size, or to the file's present end. A
 * padding behind them may be read, too. n is 0 at the end. 0 or a negative errno.
 */
int mapping_next(struct mapping *map, uint64_t offset, uint8_t **ret, size_t *ret_n);

/* All windows but the last are no longer needed. */
void mapping_release(struct mapping *map);

/* Whether there are so many windows that pages are dropped after use. */
static inline bool mapping_is_large(const struct mapping *map)
{
    return map->n * MAPPING_WINDOW > MAPPING_AMPLE;
}

/*
 * Drops the pages of these bytes from memory, extended to multiples of MAPPING_UNIT. The mapping
 * must start at such a multiple. Later reads get the bytes from the file again.
 */
void mapping_leave(const uint8_t *data, const uint8_t *end);
