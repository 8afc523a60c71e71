/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A trace's file in the address space, a window at a time: nothing is copied, and nothing of the
 * file is in memory that is not of use. Where the windows that are needed at once are many, their
 * pages come and go, and only the places stay. A file that is cut while it is read raises SIGBUS.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"

#define MAPPING_WINDOW ((size_t)4 << 20)

/* So much is in memory at a time without being given back before its time is over. */
#define MAPPING_AMPLE ((size_t)24 << 20)

/* What mapping_leave gives back begins and ends at such multiples: the system reads so much ahead. */
#define MAPPING_UNIT ((size_t)64 << 10)

struct mapping_window;

struct mapping {
    struct memory *mem;
    int fd;
    uint64_t start; /* of the trace in the file */
    struct mapping_window *first;
    struct mapping_window *last;
    struct mapping_window *touched; /* the first whose pages were not given back; NULL: none */
    size_t n;
};

/* The file from the descriptor's position on. A negative errno if it is no file. */
int mapping_init(struct mapping *map, struct memory *mem, int fd);
void mapping_done(struct mapping *map);

/*
 * The bytes from an offset in the trace on, as many as a window has and the file has now, and room
 * to be read behind them: n is 0 at the end. A negative errno on failure.
 */
int mapping_next(struct mapping *map, uint64_t offset, uint8_t **ret, size_t *ret_n);

/* All windows but the last one are done with. */
void mapping_release(struct mapping *map);

/* There are so many windows that what was looked at does not stay in memory. */
static inline bool mapping_is_large(const struct mapping *map)
{
    return map->n * MAPPING_WINDOW > MAPPING_AMPLE;
}

/*
 * Bytes of a file, wherever they are mapped from a multiple of MAPPING_UNIT on, leave memory, and
 * what is around them up to the next multiple. Whoever looks at them again gets them back.
 */
void mapping_leave(const uint8_t *data, const uint8_t *end);
