/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a goroutine's time is told by besides its state: each reason to block, and each range in
 * which it may be. There are some fifty in Go's runtime; what a trace names beyond COLUMNS_MAX goes
 * into one column.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/gotrace.h"
#include "trace/common/handles.h"
#include "trace/common/texts.h"

#define COLUMNS_MAX 256

enum column_kind {
    COLUMN_BLOCK,  /* text: the reason; "" if the goroutine was blocked when the trace began */
    COLUMN_ASSIST, /* GC mark assist */
    COLUMN_SWEEP,  /* GC incremental sweep */
    COLUMN_STW,    /* stop-the-world; text: the reason */
};

struct column {
    enum column_kind kind;
    const char *text;
    bool
        forever; /* a goroutine that blocks for this reason never goes on, so Go takes it for ended */
};

struct columns {
    struct texts *texts;
    struct column list[COLUMNS_MAX];
    unsigned n;
    struct handles by_handle;
};

/* The first columns: there is one of each. */
enum { COLUMNS_ASSIST, COLUMNS_SWEEP, COLUMNS_OTHER_BLOCK, COLUMNS_OTHER_STW, COLUMNS_FIXED };

/* The texts keep what columns are called, and outlive them. */
void columns_init(struct columns *c, struct texts *texts, struct memory *mem);
void columns_done(struct columns *c);

/* A generation with so many strings begins. */
void columns_generation(struct columns *c, uint32_t n_strings);

/* The column of a reason, which is a string of this generation; kind is BLOCK or STW. 0, or an
 * error of memory.h. */
static inline int columns_of(struct columns *c, const struct gotrace *trace, enum column_kind kind,
                             uint32_t handle, uint16_t *ret);

/* Its half for a string that was not met before in this generation. */
int columns_of_new(struct columns *c, const struct gotrace *trace, enum column_kind kind,
                   uint32_t handle, uint16_t *ret);

/* What by_handle has of a string: for each of both kinds the column plus 1, or 0. */
static inline unsigned columns_half(enum column_kind kind)
{
    return kind == COLUMN_STW ? 16 : 0;
}

static inline int columns_of(struct columns *c, const struct gotrace *trace, enum column_kind kind,
                             uint32_t handle, uint16_t *ret)
{
    uint64_t known;

    if (!handles_find(&c->by_handle, handle, &known) ||
        (known >> columns_half(kind) & UINT16_MAX) == 0)
        return columns_of_new(c, trace, kind, handle, ret);
    *ret = (uint16_t)((known >> columns_half(kind) & UINT16_MAX) - 1);
    return 0;
}
