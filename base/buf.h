/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A byte buffer that grows up to a maximum, which is fixed when it is made: nothing that the
 * network or a file fills grows without a bound. A zero byte always follows the content. The buffer
 * remembers its first failure, so a caller who appends many pieces checks once, at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf {
    char *data; /* NULL while empty and never grown */
    size_t len;
    size_t cap;
    size_t max; /* of len */
    int error;  /* of the first append that failed, negative; or 0 */
};

/* An empty buffer that never holds more than `max` bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max);

/*
 * An empty buffer in the caller's memory, which holds at most size - 1 bytes: for text that must be
 * written even when no memory can be allocated. Nothing needs to be released.
 */
void buf_over(struct buf *b, char *memory, size_t size);

/* Releases the memory; the buffer is empty and may be used again with the same maximum. */
void buf_done(struct buf *b);

/* As buf_done, but the bytes are wiped first: for secrets. */
void buf_wipe(struct buf *b);

/* Empties the buffer, keeps its memory, and forgets its failure. */
void buf_clear(struct buf *b);

/* Appends. 0, -ENOMEM, or -E2BIG when it would pass the maximum (nothing is appended then). */
int buf_add(struct buf *b, const void *data, size_t n);
int buf_adds(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0 if every append succeeded; else the first failure: -ENOMEM, -E2BIG, or that of buf_fail. */
int buf_error(const struct buf *b);

/* Records a failure of the caller's own, as if an append had failed with it. */
void buf_fail(struct buf *b, int r);

/* The content as a string; "" while empty. Borrowed. */
const char *buf_str(const struct buf *b);

/* Reads the file behind fd to its end. 0, -E2BIG over the maximum, or the errno of read(2). */
int buf_read_fd(struct buf *b, int fd);

/*
 * Reads a small file whole. Refuses what is not a regular file (-EINVAL) and what is longer than
 * the maximum (-E2BIG). Follows symbolic links, as Kubernetes projects files as symlinks.
 */
int buf_read_file(struct buf *b, const char *path);

/*
 * Appends `n` bytes so that they are safe in a log line: printable ASCII as it is, anything else
 * as \n, \r, \t, \\ or \xNN. Stops at the first failure, which buf_error tells.
 */
void buf_add_escaped(struct buf *b, const void *data, size_t n);
