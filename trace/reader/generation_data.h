/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The data of a generation. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/reader/input.h"
#include "trace/reader/stacks.h"
#include "trace/reader/strings.h"

/* More threads with events in one generation are refused; Go's own limit is 10000. */
#define GENERATION_MAX_THREADS 65536

struct batch_ref {
    const uint8_t *data;
    const uint8_t *end;
    uint64_t offset;
    uint64_t time;
    uint32_t next; /* the next batch of the same thread; IDMAP_NONE: none */
};

struct generation_thread {
    int64_t id;
    uint32_t first; /* in batches */
    uint32_t last;
};

struct sample {
    int64_t time; /* nanoseconds after the generation was read */
    int64_t g;
    int64_t m;
    uint64_t stack; /* id */
    int32_t p;
    uint32_t seq; /* position in the trace, which orders samples of equal times */
};

struct generation {
    struct input *in;
    struct memory *mem;
    struct fault *fault;
    size_t max_bytes;

    uint64_t number; /* 0: none */
    uint64_t offset;
    uint64_t bytes;
    uint64_t min_time;
    double freq;         /* nanoseconds per unit of the trace's clock */
    uint64_t safe_ticks; /* below this the product is surely in range */
    uint64_t whole; /* freq if it is a whole number, such as the 64 ns of Go's clock on Linux */
    /* Below this multiplying by `whole` gives the same as by freq; 0: freq is not whole. */
    uint64_t whole_ticks;
    bool has_freq;
    bool has_clock;
    uint64_t clock_time;
    uint64_t clock_mono;
    int64_t clock_sec;
    int64_t clock_nsec;
    uint64_t n_experimental;

    struct strings strings;
    struct stacks stacks;
    struct idmap thread_ids;
    struct generation_thread *threads;
    size_t threads_cap;
    uint32_t n_threads;
    struct batch_ref *batches;
    size_t batches_cap;
    uint32_t n_batches;
    struct sample *samples;
    size_t samples_cap;
    size_t n_samples;

    bool spilled; /* before Go 1.26: the next generation's first batch was read */
    struct batch spill;
    struct fault later; /* the error of reading that batch, to be returned after this generation */
};
