/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a goroutine did lately, in bounded memory: which share of any time of its past went into
 * what. The last HISTORY_RECENT things are known to the nanosecond. What is older is summed up in
 * blocks of many, which grow with their age: of a block that a question covers in part, each thing
 * counts in proportion. What is asked always adds up to the time that it is asked of.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/memory.h"

#define HISTORY_RECENT 16
#define HISTORY_BLOCKS 8
#define HISTORY_PARTS 6 /* things that are told apart in a block; the rest is HISTORY_UNKNOWN */

/* Things are numbers that the caller gives; this one stands for what is not known. */
#define HISTORY_UNKNOWN UINT32_MAX

struct history_item {
    int64_t since;
    uint32_t thing;
};

struct history_part {
    int64_t ns;
    uint32_t thing;
};

struct history_block {
    int64_t since, until;
    struct history_part parts[HISTORY_PARTS];
    unsigned n;
    unsigned items; /* that are in it */
};

struct history {
    struct history_item recent[HISTORY_RECENT]; /* a ring; each lasts until the next one */
    unsigned first, n;
    struct history_block *blocks; /* NULL, or HISTORY_BLOCKS, the oldest first */
    unsigned n_blocks;
};

void history_init(struct history *h);
void history_done(struct history *h, struct memory *mem);

/* From `time` on it is something else. Without memory for what is older, that is not known. */
void history_add(struct history *h, struct memory *mem, int64_t time, uint32_t thing);

/* Gives the parts of the time from `from` to `until`, which is not before the last thing's begin;
 * one thing may come several times. */
typedef void (*history_fn)(void *userdata, uint32_t thing, int64_t ns);
void history_ask(const struct history *h, int64_t from, int64_t until, history_fn tell,
                 void *userdata);
