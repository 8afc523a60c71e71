/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums by stack across generations, in each of which the same stack has another handle and the same
 * text another id. Everything is stored once and numbered from 0 by first appearance. Memory counts
 * against the caller's limit. All functions return 0 or an error of memory.h.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"

struct sums_string {
    size_t offset; /* in texts */
    uint32_t len;
};

struct sums_function {
    uint32_t name, file; /* strings */
};

struct sums_frame {
    uint64_t pc;
    uint64_t line;
    uint32_t function;
};

#define SUMS_NONE UINT32_MAX

/* What tells samples of one stack from each other. Strings; SUMS_NONE: there is none. */
struct sums_label {
    uint32_t task, region, reason;
};

struct sums_stack {
    size_t offset; /* in rows: frames, the innermost first */
    uint32_t n;
    uint32_t label; /* SUMS_NONE: none */
    uint64_t count;
    int64_t ns;
    uint64_t open_count; /* not yet committed */
    int64_t open_ns;
};

struct sums {
    struct memory *mem;
    uint64_t seed;
    char *texts;
    size_t n_texts, texts_cap;
    struct sums_string *strings;
    size_t n_strings, strings_cap;
    struct sums_function *functions;
    size_t n_functions, functions_cap;
    struct sums_frame *frames;
    size_t n_frames, frames_cap;
    uint32_t *rows;
    size_t n_rows, rows_cap;
    struct sums_stack *stacks;
    size_t n_stacks, stacks_cap;
    struct sums_label *labels;
    size_t n_labels, labels_cap;
    uint32_t *open; /* stacks that have something to commit; room for all */
    size_t n_open, open_cap;
    struct idmap string_ids, function_ids, frame_ids, stack_ids, label_ids; /* by hash */
};

/* `seed` must be secret, or a trace could be written that is slow to sum up. */
void sums_init(struct sums *s, struct memory *mem, uint64_t seed);
void sums_done(struct sums *s);

/* Resets all counts, committed or not; numbers stay. */
void sums_reset(struct sums *s);

int sums_string(struct sums *s, const char *text, size_t len, uint32_t *ret);
int sums_frame(struct sums *s, uint64_t pc, uint32_t name, uint32_t file, uint64_t line,
               uint32_t *ret);

/* At most UINT32_MAX frames. */
int sums_stack(struct sums *s, const uint32_t *frames, size_t n, uint32_t *ret);

/* The same stack as `stack`, which has no label, with one; `label` without any string is none. */
int sums_labelled(struct sums *s, uint32_t stack, const struct sums_label *label, uint32_t *ret);

/* Adds one of this duration, which counts after the next sums_commit. */
static inline void sums_add(struct sums *s, uint32_t stack, int64_t ns)
{
    struct sums_stack *sum = &s->stacks[stack];

    if (sum->open_count++ == 0)
        s->open[s->n_open++] = stack;
    if (__builtin_add_overflow(sum->open_ns, ns, &sum->open_ns))
        sum->open_ns = INT64_MAX;
}

/* Makes all additions so far count. Sums saturate. */
void sums_commit(struct sums *s);

/* Drops additions since the last commit. */
void sums_drop(struct sums *s);
