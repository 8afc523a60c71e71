/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much of a file system is free for unprivileged users, and how much room a file takes in it.
 */

#include <stdint.h>

/* Bytes; sizes of files are rounded up to whole blocks, as most file systems store them. */
#define SPACE_BLOCK 4096

struct space {
    uint64_t free_bytes, total_bytes;
    /* total_inodes is 0 if the file system makes inodes as they are needed. */
    uint64_t free_inodes, total_inodes;
};

/* Reads the numbers of the file system that fd is on. 0, or the negative errno of fstatvfs(3). */
int space_read(int fd, struct space *ret);

/* Rounds bytes up to whole blocks; UINT64_MAX if the result does not fit. */
uint64_t space_round(uint64_t bytes);
