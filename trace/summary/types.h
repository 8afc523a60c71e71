/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums by a name that the program chose: tasks and regions by their types, pauses by their reason.
 * Programs make thousands of names: those that differ in nothing but their numbers become one,
 * `GET /item/N`, once there are more than TYPES_ALIKE of them. There is a bound to the number of
 * rows and to their memory, which is no other table's; where it is reached, the half with the
 * smaller totals gives way and is told as a sum. The largest TYPES_SHOWN are shown.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/summary/handles.h"
#include "trace/summary/histogram.h"
#include "trace/summary/numbers.h"
#include "trace/summary/texts.h"

#define TYPES_MAX 8192
#define TYPES_MAX_TEXT ((size_t)2 << 20) /* bytes of all names */
#define TYPES_MAX_MEMORY ((size_t)16 << 20)
#define TYPES_ALIKE 16
#define TYPES_SHOWN 128
#define TYPES_PATIENCE \
    64                  /* rows that may be looked at for each that comes, and for each that goes */
#define TYPES_KEPT 4096 /* times of a type that are kept one by one */

#define TYPES_NONE UINT32_MAX

struct type {
    char *text; /* of len bytes and a zero; NULL: the place is free, unless it is held */
    size_t len;
    uint64_t hash;
    uint32_t serial;  /* no other row ever had it; 0: the place is free, or only held */
    uint32_t group;   /* the row of those that are alike, or TYPES_NONE */
    uint32_t into;    /* the row that this one was merged into, or TYPES_NONE */
    uint32_t n_alike; /* of a group: names that it would stand for, until it does */
    uint32_t held;
    bool is_group; /* whose name is a pattern; shown once it stands for more than TYPES_ALIKE */
    bool untimed;  /* some of its times had no place, in memory or not even in the sums */
    int64_t open;  /* begun within the trace and not ended */
    uint64_t unknown;
    uint64_t misnested;
    uint64_t count;
    int64_t total;
    int64_t max;
    struct histogram times;
};

struct types {
    struct memory mem;
    uint64_t seed;
    struct type *list;
    size_t cap;
    uint32_t n;    /* places, */
    uint32_t used; /* those that are not free, */
    uint32_t free; /* and where the first of those may be that are */
    size_t text_bytes;
    struct idmap ids;
    int64_t total; /* of all times that are in a sum: no sum of some of them overflows */
    uint32_t last_serial;
    size_t patience;          /* for looking at all rows: how many may be looked at */
    struct handles by_handle; /* see types_known */
    struct type left_out;     /* the sum of what gave way, or found no place */
    uint64_t n_left_out;
};

/* Nothing is allocated yet. `handles` is for what is remembered of a generation's strings. */
void types_init(struct types *t, struct memory *handles, uint64_t seed);
void types_done(struct types *t);

/* A generation with so many strings begins: handles are others. */
void types_generation(struct types *t, uint32_t n_strings);

/* The row of a string of this generation. 0, or -ENOMEM. */
int types_of(struct types *t, const struct gotrace *trace, uint32_t handle, uint32_t *ret);

/* The same where it was asked for before in this generation, or TYPES_NONE. */
static inline uint32_t types_known(const struct types *t, uint32_t handle)
{
    uint64_t value;
    uint32_t row;

    if (!handles_find(&t->by_handle, handle, &value))
        return TYPES_NONE;
    row = (uint32_t)value; /* and the serial that it had then */
    return t->list[row].serial == value >> 32 ? row : TYPES_NONE;
}

/* The same of a text. */
int types_find(struct types *t, const char *text, size_t len, uint32_t *ret);

/* A row is kept, or what it was merged into, for as long as it is held. */
void types_hold(struct types *t, uint32_t row);
void types_release(struct types *t, uint32_t row);

/* What a row is now, until the next call of any of these. TYPES_NONE is what found no place. */
struct type *types_get(struct types *t, uint32_t row);

/* One of them lasted so long. -ENOMEM. */
int types_add(struct types *t, uint32_t row, int64_t duration);

/* The largest total first; texts and list in the arena. 0 or -ENOMEM. */
int types_rows(struct types *t, struct summary_arena **arena, struct summary_rows *ret);

/*
 * The text with N in the place of each number, and of each word of four or more hexadecimal digits
 * that has a decimal one among them, into room for len bytes. Its length.
 */
size_t types_pattern(const char *text, size_t len, char *ret);
