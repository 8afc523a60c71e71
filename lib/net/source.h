/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The body of a request that is being sent: bytes in memory, or a file that is read piece by piece
 * as the network takes it. It can be read again from any place, because a kept connection may turn
 * out dead after a part was sent.
 */

#include <stdint.h>
#include <sys/types.h>

struct http_body;

#define SOURCE_TEXT_MAX 128

struct source {
    char *memory; /* a copy, wiped at the end; or NULL: the file */
    int fd;       /* borrowed */
    uint64_t size, at;
    char error[SOURCE_TEXT_MAX]; /* why it cannot be read; "" while it can */
};

/* 0, -ENOMEM, or -EINVAL: too long for memory or for a file. */
int source_init(struct source *s, const struct http_body *body);
void source_done(struct source *s);

/*
 * Reads up to n bytes from where it stands. Returns how many, 0 at the end, or a negative errno
 * with `error` set: the file is shorter than it was said to be, or cannot be read.
 */
ssize_t source_read(struct source *s, void *out, size_t n);

/* -EINVAL beyond the end. */
int source_seek(struct source *s, uint64_t at);
