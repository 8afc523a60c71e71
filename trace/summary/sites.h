/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums by call stack. The reader's handle of a stack is valid in one
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
#include "trace/common/texts.h"

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
 * unknown reason, waits that are in no profile; and waits and syscalls that had not ended. */
enum {
    SITES_STOPPED = SUMMARY_N_PROFILES, /* turns that ended with a stop, by preemption or
                                           runtime.Gosched */
    SITES_N_COMMON,                     /* up to here: each stack has a place for them */
    SITES_MISNESTED = SITES_N_COMMON,
    SITES_UNKNOWN,
    SITES_NOTHING,
    SITES_SLEEP,
    SITES_SLOW,     /* syscalls of SUMMARY_SLOW and longer that are not meant to wait */
    SITES_INSIDE,   /* waits inside of the process in the service of requests */
    SITES_ANSWERED, /* of these: by one that was asked, and worked for it meanwhile */
    SITES_STILL,    /* waits for the whole trace of goroutines that nobody will wake */
    SITES_BY_TIMER, /* goroutines that the runtime created, by their function: count only */
    SITES_VAIN,     /* turns of who asks whether anything has come, by where it waits */
    SITES_WOKEN,    /* turns of who was woken by another one for nothing, by the waker's stack */
    SITES_OPEN,     /* and on: enum summary_open */
    SITES_N_TALLIES = SITES_OPEN + SUMMARY_N_OPEN,
};

struct tally {
    uint64_t count;
    int64_t total;
    int64_t limit; /* of sites_count: at most max */
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
    uint32_t told;  /* by its function: stack_function */
};

struct sites_stack {
    uint32_t row; /* in rows */
    uint32_t n;
    uint8_t class;    /* enum stack_class */
    uint64_t created; /* goroutines, by a `go` statement with this stack, */
    uint64_t ended;   /* and of these, how many have ended */
    uint64_t yields;  /* calls of runtime.Gosched */
    uint64_t turns;   /* of goroutines that woke others from here, so many */
    uint32_t turn;    /* the last of these */
    uint32_t timed;   /* waits of ACCUMULATOR_LONG that no goroutine ended; */
    uint32_t regular; /* of these: that took about as long as the one before, */
    int64_t last;     /* which took so long */
    uint32_t traits;  /* enum stack_trait */
    struct tally common[SITES_N_COMMON];
    struct tally *rare; /* the other columns; NULL: they are empty */
};

#define SITES_N_RARE (SITES_N_TALLIES - SITES_N_COMMON)
#define SITES_CHUNK 1024 /* stacks whose rare columns have room in one chunk */

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
    uint32_t *told; /* of the same functions: stack_function */
    size_t told_cap;
    const char *main_file; /* of a function of the package main; NULL: none was met yet */
    struct sites_stack *stacks;
    size_t stacks_cap;
    uint32_t n_stacks;
    struct tally **chunks; /* of rare columns. Memory that no stack needs is not touched. */
    size_t chunks_cap;
    uint32_t n_chunks;
    uint32_t n_rare;  /* stacks that have any */
    uint32_t *filled; /* by stack: the columns that have anything, as bits; of sites_close */
    size_t filled_cap;
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

/* The slow part of sites_tally_of: gives a stack room for its rare columns. */
__attribute__((cold)) void sites_add_rare(struct sites *s, uint32_t stack);

/* The sum of a stack in a column, to be changed. */
static inline struct tally *sites_tally_of(struct sites *s, uint32_t stack, unsigned column)
{
    struct sites_stack *k = &s->stacks[stack];

    if (__builtin_expect(column < SITES_N_COMMON, 1))
        return &k->common[column];
    if (__builtin_expect(!k->rare, 0))
        sites_add_rare(s, stack);
    return &k->rare[column - SITES_N_COMMON];
}

/* The same, to be read only. */
static inline const struct tally *sites_tally(const struct sites_stack *k, unsigned column)
{
    static const struct tally none;

    if (column < SITES_N_COMMON)
        return &k->common[column];
    return k->rare ? &k->rare[column - SITES_N_COMMON] : &none;
}

/* Adds a duration to a stack's sums. column: an enum summary_profile or SITES_MISNESTED and so
 * on. */
static inline void sites_add(struct sites *s, uint32_t stack, unsigned column, int64_t duration)
{
    struct tally *t = sites_tally_of(s, stack, column);

    t->count++;
    t->total += duration;
    if (duration > t->max)
        t->max = duration;
}

/* The same for frequent calls, but true means that the duration passes a limit, and then sites_raise
 * is due. */
static inline bool sites_count(struct sites *s, uint32_t stack, unsigned column, int64_t duration)
{
    struct tally *t = sites_tally_of(s, stack, column);

    t->count++;
    t->total += duration;
    return __builtin_expect(duration > t->limit, 0);
}

/* Notes the largest duration. From now on the limit is that or the floor, what is less. */
static inline void sites_raise(struct sites *s, uint32_t stack, unsigned column, int64_t duration,
                               int64_t floor)
{
    struct tally *t = sites_tally_of(s, stack, column);

    t->max = duration > t->max ? duration : t->max;
    t->limit = floor < t->max ? floor : t->max;
}

/* All sums are there: notes which columns have anything, for sites_filled. To be called again after
 * more was added. */
int sites_close(struct sites *s);

_Static_assert(SITES_N_TALLIES <= 32, "a stack's columns are bits of a word");

/* Whether a stack has anything in any of these columns, as bits. The tallies themselves are far
 * apart in memory: only stacks that have something are worth the way there. */
static inline bool sites_filled(const struct sites *s, uint32_t stack, uint32_t columns)
{
    return (s->filled[stack] & columns) != 0;
}

/* The number of the frame that is a stack's call site in a column, or IDMAP_NONE. If all functions
 * pass the wait on, it is the innermost frame outside of the runtime. */
uint32_t sites_at(const struct sites *s, uint32_t stack, unsigned column);

/* The call site of a stack in a profile; texts "" if there is none. */
struct summary_frame sites_frame(const struct sites *s, uint32_t stack,
                                 enum summary_profile profile);

/* The frame in which a syscall is known by its name, as syscall.Fdatasync; the innermost one if
 * there is none. */
struct summary_frame sites_call(const struct sites *s, uint32_t stack);
/* The innermost function of a stack whose name begins so; "" if there is none. */
const char *sites_named(const struct sites *s, uint32_t stack, const char *begin);

/* The function that the stack's goroutine began with, or "". */
const char *sites_outermost(const struct sites *s, uint32_t stack);

/* Whether the stack is the main goroutine's. */
bool sites_of_main(const struct sites *s, uint32_t stack);

/* Whether both goroutines do the same work: the outermost function of the program's own is the
 * same. */
bool sites_alike(const struct sites *s, uint32_t a, uint32_t b);

/* The program's own code in that stack. */
struct summary_own sites_own(const struct sites *s, uint32_t stack, enum summary_profile profile);

/* Numbers of frames, or IDMAP_NONE: the call site of a stack; its own code; and the function behind
 * that. column: as of sites_add. */
struct sites_where {
    uint32_t at;
    uint32_t own;
    uint32_t call;
};

struct sites_where sites_where(const struct sites *s, uint32_t stack, unsigned column);

/* The profile that a wait for an unknown reason belongs into, as its stack tells: SUMMARY_SYNC,
 * SUMMARY_NET or SITES_NOTHING. */
unsigned sites_unknown(const struct sites *s, uint32_t stack);

struct summary_frame sites_frame_text(const struct sites *s, uint32_t frame);

/* The same for a frame, not its number. */
struct summary_frame sites_text(const struct sites *s, const struct sites_frame *f);

/* An order of frames by function, file and line, as of strcmp. */
int sites_compare(const struct sites_frame *a, const struct sites_frame *b);
