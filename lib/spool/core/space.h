/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much a file system still holds for the unprivileged, and how much room a file takes in it.
 */

#include <stdint.h>

#define SPACE_BLOCK 4096 /* files are counted in whole ones, as most file systems store them */

struct space {
    uint64_t free_bytes, total_bytes;
    uint64_t free_inodes, total_inodes; /* total 0: inodes are made as they are needed */
};

/* Of the file system behind fd. 0, or the errno of fstatvfs(3). */
int space_read(int fd, struct space *ret);

/* Bytes in whole blocks; the largest value when it does not fit. */
uint64_t space_round(uint64_t bytes);
