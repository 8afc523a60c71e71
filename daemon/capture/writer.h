/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A trace on its way into its file: bytes gathered into blocks, blocks written, memory given back.
 * It owns no descriptor and decides nothing about space: who calls has reserved it.
 */
struct writer {
    int fd;
    char *block;
    size_t block_len;
    uint64_t written;   /* bytes in the file */
    uint64_t reserved;  /* bytes for which the file system was asked ahead */
    bool never_reserve; /* it cannot */
};

/* Borrows fd, which stands at 0. Returns 0 or -ENOMEM. */
int writer_init(struct writer *w, int fd);
void writer_done(struct writer *w);

/*
 * The file may grow to this many bytes. For large ones its blocks are asked for at once, which is
 * cheaper than at each write, and leaves it in one piece. Blocks behind the end of the file are
 * possible from then on: ftruncate(2) trims them.
 */
void writer_reserve(struct writer *w, uint64_t bytes);

/* Return 0 or the negative errno of write(2), after which the file's end is undefined. */
int writer_add(struct writer *w, const char *data, size_t n);
int writer_flush(struct writer *w);
