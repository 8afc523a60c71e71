/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes a trace into its file: gathers bytes into blocks, writes the blocks and frees page cache.
 * It does not own the descriptor and does not check for space, which the caller has reserved.
 */
struct writer {
    int fd;
    char *block;
    size_t block_len;
    uint64_t written;   /* bytes in the file */
    uint64_t reserved;  /* bytes preallocated in the file system */
    bool never_reserve; /* preallocation does not work here */
};

/* Borrows fd, whose offset must be 0. Returns 0 or -ENOMEM. */
int writer_init(struct writer *w, int fd);
void writer_done(struct writer *w);

/*
 * The file may grow to this many bytes. For large files the disk blocks are preallocated, which is
 * cheaper than at each write and avoids fragmentation. So there may be blocks beyond the end of the
 * file; ftruncate(2) removes them.
 */
void writer_reserve(struct writer *w, uint64_t bytes);

/* Return 0 or the negative errno of write(2), after which the file's end is undefined. */
int writer_add(struct writer *w, const char *data, size_t n);
int writer_flush(struct writer *w);
