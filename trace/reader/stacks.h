/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The stacks of one generation. A frame is stored once for each program counter, as in Go's reader;
 * a stack is a list of frame numbers.
 */

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "trace/common/idmap.h"
#include "trace/gotrace.h"
#include "trace/reader/strings.h"

/* tracev2.MaxFramesPerStack */
#define STACKS_MAX_FRAMES 128

/* A frame that was met lately, by its program counter as it is written, if that has four bytes. */
#define STACKS_RAW 4
#define STACKS_RECENT_BITS 12
struct stacks_recent {
    uint32_t raw;
    uint32_t frame;
};

struct stacks {
    struct memory *mem;
    struct idmap ids;
    struct idmap pcs;
    struct gotrace_frame *frames; /* func and file are ids until stacks_seal */
    size_t frames_cap;
    uint32_t n_frames;
    uint32_t *rows; /* the stacks' frame numbers, one stack behind the other */
    size_t rows_cap;
    size_t n_rows;
    uint32_t *ends; /* end of a stack in `rows`, by handle - 1 */
    size_t ends_cap;
    uint32_t n;
    struct stacks_recent recent[1 << STACKS_RECENT_BITS];
};

void stacks_init(struct stacks *s, struct memory *mem, uint64_t seed);
void stacks_done(struct stacks *s);
void stacks_clear(struct stacks *s);

/*
 * Starts a stack of n frames: the caller fills their numbers into *ret, then calls stacks_end. 0,
 * -EEXIST, or an error of memory.h.
 */
int stacks_begin(struct stacks *s, uint64_t id, size_t n, uint32_t **ret);
void stacks_end(struct stacks *s, size_t n);

/* The number of the frame at this program counter, or IDMAP_NONE. */
static inline uint32_t stacks_known(const struct stacks *s, uint64_t pc)
{
    return idmap_find_slot(&s->pcs, pc);
}

static inline uint32_t stacks_raw(const uint8_t *p)
{
    uint32_t raw;

    memcpy(&raw, p, sizeof(raw));
    return le32toh(raw);
}

static inline size_t stacks_recent_place(uint32_t raw)
{
    return (uint32_t)(raw * 0x9e3779b1U) >> (32 - STACKS_RECENT_BITS);
}

/* Where the frame is if it was met lately. With another `raw` there, these four bytes are no program
 * counter, or that of no such frame. */
static inline const struct stacks_recent *stacks_recent(const struct stacks *s, uint32_t raw)
{
    return &s->recent[stacks_recent_place(raw)];
}

static inline void stacks_note_recent(struct stacks *s, uint32_t raw, uint32_t frame)
{
    if ((raw & 0x80808080U) == 0x00808080U)
        s->recent[stacks_recent_place(raw)] = (struct stacks_recent){raw, frame};
}

/* Adds a frame; func and file are ids. Errors of memory.h. */
int stacks_new_frame(struct stacks *s, const struct gotrace_frame *frame, uint32_t *ret);

/* All stacks and strings were added: resolves ids. -ENOENT, and the frame whose string does not
 * exist. */
int stacks_seal(struct stacks *s, const struct strings *strings, uint32_t *ret_frame);

/* An id's handle, 0 for the id 0, or IDMAP_NONE. */
static inline uint32_t stacks_handle(const struct stacks *s, uint64_t id)
{
    return id == 0 ? 0 : idmap_find(&s->ids, id);
}

const uint32_t *stacks_row(const struct stacks *s, uint32_t handle, size_t *ret_n);
