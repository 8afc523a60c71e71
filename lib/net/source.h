/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The body of a request: bytes in memory, or a file that is read as the network takes it. It can be
 * read again from any position, as a kept connection may turn out to be dead after a part was sent.
 */

#include <stdint.h>
#include <sys/types.h>

struct http_body;

#define SOURCE_TEXT_MAX 128

struct source {
    char *memory; /* a copy, wiped at the end; or NULL: the file */
    int fd;       /* borrowed */
    uint64_t size, at;
    char error[SOURCE_TEXT_MAX]; /* the read error; "" for none */
};

/* 0, -ENOMEM, or -EINVAL: too long for memory or for a file. */
int source_init(struct source *s, const struct http_body *body);
void source_done(struct source *s);

/*
 * Reads up to n bytes at its position. Returns how many, 0 at the end, or a negative errno with
 * `error` set: the file is shorter than announced, or cannot be read.
 */
ssize_t source_read(struct source *s, void *out, size_t n);

/* -EINVAL beyond the end. */
int source_seek(struct source *s, uint64_t at);
