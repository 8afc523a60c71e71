/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The stream of batches. It is read straight into blocks that hold one generation: what a batch
 * says stays where it was read until input_release, and nothing is copied but what straddles two
 * blocks. Of a file that may be mapped not even that is. Of a large generation only the addresses
 * stay: its blocks become parts of a file, which come back into memory when they are looked at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/fault.h"
#include "trace/common/mapping.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"

/* tracev2.MaxBatchSize */
#define INPUT_MAX_BATCH (64U << 10)

/* Reading an event may go beyond its batch's end by at most this many bytes. */
#define INPUT_PADDING 64

/*
 * The newest version that is tried, beyond GOTRACE_NEWEST: that of the next Go release. (The
 * present one, 1.27, writes the header of 1.26.) The content of such a trace decides whether it can
 * be read.
 */
#define INPUT_TRIED 28

struct input_block;

struct input {
    gotrace_read_fn read;
    void *userdata;
    struct memory *mem;
    struct fault *fault;

    unsigned version;
    bool mapped; /* the trace is mapped by windows, and there are no blocks */
    struct mapping map;
    struct input_block *first; /* of this generation */
    struct input_block *last;
    struct input_block *before_last;
    struct input_block *spare;
    uint8_t *head;   /* start of the bytes that were not taken yet */
    uint8_t *tail;   /* their end */
    uint64_t offset; /* of head in the trace */
    bool ended;      /* the source has no more */
    uint64_t newest; /* the latest time in batch headers, in the trace's clock */
    bool large;      /* the generation is not all kept in memory: see input_leave */

    gotrace_spill_fn spill; /* NULL: blocks stay in memory */
    void *spill_data;
    int spill_fd; /* a negative number: none yet */
    size_t n_blocks;
    size_t n_spilled;
};

struct batch {
    const uint8_t *data;
    const uint8_t *end;
    uint64_t offset; /* of data in the trace */
    uint64_t start;  /* offset of the batch's header in the trace */
    uint64_t generation;
    int64_t thread;
    uint64_t time;
    bool experimental;
    bool end_of_generation; /* and nothing else in it */
};

void input_init(struct input *in, gotrace_read_fn read, void *userdata, struct memory *mem,
                struct fault *fault);
void input_done(struct input *in);

/* Maps the file instead of reading it. To be called before the first read. 0, or a negative errno:
 * it cannot be mapped. */
int input_map(struct input *in, int fd);

/* How many bytes of the trace were read. */
static inline uint64_t input_taken(const struct input *in)
{
    return in->offset + (uint64_t)(in->tail - in->head);
}

/* Reads the header and sets version. Errors as gotrace_next. */
int input_header(struct input *in);

/* 1 and the next batch, 0 at the trace's end, or an error as gotrace_next. */
int input_batch(struct input *in, struct batch *ret);

/* All batches but the last are no longer needed. */
void input_release(struct input *in);

/* Skips the rest of the trace. Returns its size, as far as it can be read. */
uint64_t input_drain(struct input *in);

/* For input_leave. */
void input_leave_slow(const struct input *in, const uint8_t *data, const uint8_t *end)
    __attribute__((cold));

/* These bytes are not needed for a while: of a large generation they are dropped from memory. */
static inline void input_leave(const struct input *in, const uint8_t *data, const uint8_t *end)
{
    if (__builtin_expect(in->large, 0))
        input_leave_slow(in, data, end);
}
