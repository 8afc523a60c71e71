/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A trace's file in the address space, a window at a time: nothing is copied, and nothing of the
 * file is in memory that is not of use. A file that is cut while it is read raises SIGBUS.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"

struct mapping_window;

struct mapping {
    struct memory *mem;
    int fd;
    uint64_t start; /* of the trace in the file */
    struct mapping_window *first;
    struct mapping_window *last;
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
