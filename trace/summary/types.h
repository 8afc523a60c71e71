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
#include "trace/common/handles.h"
#include "trace/summary/histogram.h"
#include "trace/summary/numbers.h"
#include "trace/common/texts.h"

#define TYPES_MAX 8192
#define TYPES_MAX_TEXT ((size_t)2 << 20) /* bytes of all names */
#define TYPES_MAX_MEMORY ((size_t)16 << 20)
#define TYPES_ALIKE 16
#define TYPES_SHOWN 128
/* Added to `patience` for each look-up of a name without a row, and for each row left out. */
#define TYPES_PATIENCE 64
#define TYPES_KEPT 4096 /* times of a type that are kept one by one */

#define TYPES_NONE UINT32_MAX

struct type {
    char *text; /* of len bytes and a zero; NULL: a free place, or one that is only held */
    size_t len;
    uint64_t hash;
    uint32_t serial;  /* unique among all rows ever; 0: a free place, or one that is only held */
    uint32_t group;   /* the row of its group, or TYPES_NONE */
    uint32_t into;    /* the row that this one was merged into, or TYPES_NONE */
    uint32_t n_alike; /* of a group: names that joined it, counted up to TYPES_ALIKE + 1 */
    uint32_t held;
    bool is_group; /* its name is a pattern; shown once it stands for more than TYPES_ALIKE names */
    bool untimed;  /* some of its times are missing in `times`, or even in the sums */
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
    uint32_t free; /* and the number below which no place is free */
    size_t text_bytes;
    struct idmap ids;
    int64_t total; /* of all times in any sum; as it does not overflow, no single sum does */
    uint32_t last_serial;
    size_t patience;          /* rows that make_way may still look at */
    struct handles by_handle; /* see types_known */
    struct type left_out;     /* the sum of all that was left out or found no place */
    uint64_t n_left_out;
};

/* Allocates nothing yet. `handles` is the memory for the cache of a generation's strings. */
void types_init(struct types *t, struct memory *handles, uint64_t seed);
void types_done(struct types *t);

/* A generation with so many strings begins: the handles known so far become invalid. */
void types_generation(struct types *t, uint32_t n_strings);

/* Finds the row of a string of this generation, or adds it. 0, or -ENOMEM. */
int types_of(struct types *t, const struct gotrace *trace, uint32_t handle, uint32_t *ret);

/* The row of a string that was found before in this generation, or TYPES_NONE. */
static inline uint32_t types_known(const struct types *t, uint32_t handle)
{
    uint64_t value;
    uint32_t row;

    if (!handles_find(&t->by_handle, handle, &value))
        return TYPES_NONE;
    row = (uint32_t)value; /* the upper half is the row's serial at that time */
    return t->list[row].serial == value >> 32 ? row : TYPES_NONE;
}

/* The same as types_of, for a text. */
int types_find(struct types *t, const char *text, size_t len, uint32_t *ret);

/* While a row is held, its number stays valid: for the row itself or for what it was merged
 * into. */
void types_hold(struct types *t, uint32_t row);
void types_release(struct types *t, uint32_t row);

/* The sums that a row belongs to now; valid until the next call of a function here. TYPES_NONE
 * stands for all that found no place. */
struct type *types_get(struct types *t, uint32_t row);

/* Adds one duration. 0, or -ENOMEM. */
int types_add(struct types *t, uint32_t row, int64_t duration);

/* Makes the table, the largest total first. Texts and list are in the arena. 0 or -ENOMEM. */
int types_rows(struct types *t, struct summary_arena **arena, struct summary_rows *ret);

/*
 * Writes the text to ret, which has room for len bytes, with N in place of each number and of each
 * word of four or more hexadecimal digits that contains a decimal one. Returns the length.
 */
size_t types_pattern(const char *text, size_t len, char *ret);
