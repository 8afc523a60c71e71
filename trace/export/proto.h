/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes protocol buffers (protobuf.dev/programming-guides/encoding) into a buffer, front to back.
 * It remembers its first failure: what is built piece by piece is whole, or `error` says why not.
 */

#include <stddef.h>
#include <stdint.h>

#define PROTO_DEPTH 8
#define PROTO_MAX ((size_t)4 << 20)

struct proto {
    uint8_t *data;
    size_t n, cap;
    size_t open[PROTO_DEPTH]; /* where the contents of messages begin that are not ended */
    unsigned depth;
    int error; /* -ENOMEM, or -E2BIG beyond PROTO_MAX */
};

void proto_init(struct proto *p);
void proto_done(struct proto *p);

/* Forgets the content and keeps the memory. */
void proto_clear(struct proto *p);

/* A field of a type that is a varint: uint, bool, enum, and int64, which is no zigzag. */
void proto_number(struct proto *p, unsigned field, uint64_t value);

/* A string: what is not UTF-8 in it is U+FFFD. */
void proto_text(struct proto *p, unsigned field, const char *text, size_t len);

void proto_bytes(struct proto *p, unsigned field, const void *data, size_t n);

/* A message, or bytes; what is written up to the end is its content. */
void proto_begin(struct proto *p, unsigned field);
void proto_end(struct proto *p);
