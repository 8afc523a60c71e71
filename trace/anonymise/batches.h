/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The batches of a trace's file, one after the other, and batches as they are written. One batch is in
 * memory. Framing has looked at the file before: what is read here is only held against its bounds.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/framing.h"

#define BATCHES_HEADER 16 /* bytes before the first batch: tells the version */
#define BATCHES_PAYLOAD (64u << 10)

/* Numbers that may be read in one go behind a payload. */
#define BATCHES_PADDING 64

struct batches {
    int fd;
    uint64_t offset; /* of what comes next */
    uint8_t data[FRAMING_HEADER_MAX + BATCHES_PAYLOAD + BATCHES_PADDING];
};

/* A batch, or the byte that ends a generation. */
struct batches_item {
    uint64_t offset;
    uint8_t type;       /* EV_EVENT_BATCH, EV_EXPERIMENTAL_BATCH, EV_END_OF_GENERATION */
    uint8_t experiment; /* of an experimental batch */
    uint64_t generation, thread, time;
    const uint8_t *raw; /* as it is in the file */
    size_t n_raw;
    const uint8_t *payload;
    size_t n; /* of the payload */
};

/* The next one. 1; 0 at the file's end; -EBADMSG; or the errno of pread(2). It is valid up to the next
 * call. */
int batches_next(struct batches *b, struct batches_item *ret);

/* The header of a batch like `like`, with a payload of n bytes. Returns its length. */
size_t batches_header(const struct batches_item *like, size_t n, uint8_t ret[FRAMING_HEADER_MAX]);

/* Appends a number. Returns what follows it. */
uint8_t *batches_number(uint8_t *to, uint64_t value);
