/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Builds traces that have correct framing but no meaningful events: a header and generations of
 * batches, as trace/framing.h describes them.
 */

#include <stddef.h>
#include <stdint.h>

#define TRACES_GENERATIONS_MAX 64

struct trace {
    uint8_t *data;
    size_t n;
    size_t ends[TRACES_GENERATIONS_MAX]; /* where each generation ends */
    size_t n_ends;
    uint64_t time; /* of the next batch, in nanoseconds */
};

/* Builds a trace of `go 1.<minor>` (22 to 26) whose generations hold about `payload` bytes each. */
void traces_make(struct trace *t, unsigned minor, unsigned generations, size_t payload);

/* The same, with times: those of its batches go from 0 to `span` nanoseconds. */
void traces_make_timed(struct trace *t, unsigned minor, unsigned generations, uint64_t span);

void traces_done(struct trace *t);

/* The SHA-256 of the bytes in hex. */
void traces_sha256(const void *data, size_t n, char out[static 65]);

/* The bytes as a chunked body with pieces of `piece` bytes, including the last chunk. The caller
 * must free it. */
char *traces_chunked(const void *data, size_t n, size_t piece, size_t *ret_n);
