/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums by call stack, and from these by call site. The reader's handle of a stack is valid in one
 * generation only. Here a stack has one number throughout the trace; it is recognised by its
 * program counters. The numbers of stacks and frames are bounded. Of a stack beyond the bound only
 * the frames are kept that decide its sites, and stacks that agree in these frames and in their
 * class share one number; so the sums by site and class stay right. A stack without room even for
 * that is counted by its class alone, as the stack SITES_OTHER + class, and has no site.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/summary/numbers.h"
#include "trace/summary/texts.h"

/* SITES_OLDER stands for where goroutines that are older than the trace were created. */
enum {
    SITES_NO_STACK,
    SITES_OTHER,
    SITES_OLDER = SITES_OTHER + STACK_N_CLASSES,
    SITES_FIRST,
};

#define SITES_MAX_STACKS 16384
#define SITES_MAX_FRAMES 32768
#define SITES_MAX_ROWS (1U << 19)
/* Additional places, for stacks of which only the site is kept. */
#define SITES_MORE_STACKS 8192
#define SITES_MORE_FRAMES 16384
/* Frames that are kept of a stack. Deeper stacks are still told apart by all their frames. */
#define SITES_DEPTH 64

/* Columns beside the profiles: ends of regions in the wrong order (count only), waits for an
 * unknown reason, waits that are in no profile, and waits and syscalls that had not ended. */
enum {
    SITES_MISNESTED = SUMMARY_N_PROFILES,
    SITES_UNKNOWN,
    SITES_NOTHING,
    SITES_BY_TIMER, /* goroutines that the runtime created, by their function: count only */
    SITES_OPEN,     /* and on: enum summary_open */
    SITES_N_TALLIES = SITES_OPEN + SUMMARY_N_OPEN,
};

struct tally {
    uint64_t count;
    int64_t total;
    int64_t max;
};

struct sites_frame {
    uint32_t func;
    uint32_t file;
    uint64_t line;
};

/* What was found out about a frame of this generation. */
struct sites_known {
    uint64_t hash;
    uint32_t frame; /* plus 1; 0: not looked up yet */
};

struct sites_stack {
    uint32_t row; /* in rows */
    uint32_t n;
    uint8_t class;    /* enum stack_class */
    uint64_t created; /* goroutines, by a `go` statement with this stack, */
    uint64_t ended;   /* and of these, how many have ended */
    uint64_t yields;  /* calls of runtime.Gosched */
    struct tally tallies[SITES_N_TALLIES];
};

struct sites {
    struct memory *mem;
    struct texts *texts;
    uint64_t seed;
    struct idmap frame_ids;
    struct idmap stack_ids;
    struct sites_frame *frames;
    size_t frames_cap;
    uint32_t n_frames;
    uint8_t *roles; /* of functions that are in frames, by the number of the function's text */
    size_t roles_cap;
    struct sites_stack *stacks;
    size_t stacks_cap;
    uint32_t n_stacks;
    uint32_t *rows; /* the frames of all stacks, one stack after the other */
    size_t rows_cap;
    uint32_t n_rows;
    uint32_t *by_handle; /* this generation's stacks: number plus 1; 0: not looked up yet */
    size_t by_handle_cap;
    uint32_t n_handles;
    struct sites_known *known; /* this generation's frames, by the reader's number */
    size_t known_cap;
    uint32_t n_known;
    uint64_t lost; /* stacks that are not kept whole, counted in each generation */
};

/* Errors of memory.h, here and below. */
int sites_init(struct sites *s, struct texts *texts, struct memory *mem, uint64_t seed);
void sites_done(struct sites *s);

/* A generation with so many stacks and frames begins. */
int sites_generation(struct sites *s, uint32_t n_stacks, uint32_t n_frames);

/* The part of sites_of for a stack that was not looked up yet. */
int sites_find(struct sites *s, const struct gotrace *trace, uint32_t handle, uint32_t *ret);

/* The number of a stack of this generation. */
static inline int sites_of(struct sites *s, const struct gotrace *trace, uint32_t handle,
                           uint32_t *ret)
{
    uint32_t n = handle < s->n_handles ? s->by_handle[handle] : 0;

    if (__builtin_expect(n == 0, 0))
        return sites_find(s, trace, handle, ret);
    *ret = n - 1;
    return 0;
}

/* Adds a duration to a stack's sums. column: an enum summary_profile or SITES_MISNESTED and so
 * on. */
static inline void sites_add(struct sites *s, uint32_t stack, unsigned column, int64_t duration)
{
    struct tally *t = &s->stacks[stack].tallies[column];

    t->count++;
    t->total += duration;
    if (duration > t->max)
        t->max = duration;
}

/* The call site of a stack in a profile; texts "" if there is none. */
struct summary_frame sites_frame(const struct sites *s, uint32_t stack,
                                 enum summary_profile profile);

/* The call sites with the largest totals. Lists and texts are in the texts' arena. */
int sites_top(struct sites *s, unsigned column, struct summary_sites *ret);

/* The same, for stacks of these classes only (a STACK_SET). */
int sites_top_of(struct sites *s, unsigned column, unsigned classes, struct summary_sites *ret);

/* The same, for those stacks only that are true in this list, by their number. */
int sites_top_picked(struct sites *s, unsigned column, const bool *picked,
                     struct summary_sites *ret);
