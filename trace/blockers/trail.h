/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a goroutine did lately, in bounded memory: which share of any time of its past went into
 * what. The last TRAIL_RECENT things are known to the nanosecond. What is older is summed up in
 * blocks of many, which grow with their age: of a block that a question covers in part, each thing
 * counts in proportion. What is asked always adds up to the time that it is asked of.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/memory.h"

#define TRAIL_RECENT 16
#define TRAIL_BLOCKS 8
#define TRAIL_PARTS 6 /* things that are told apart in a block; the rest is TRAIL_UNKNOWN */

/* Things are numbers that the caller gives; this one stands for what is not known. */
#define TRAIL_UNKNOWN UINT32_MAX

struct trail_item {
    int64_t since;
    uint32_t thing;
};

struct trail_part {
    int64_t ns;
    uint32_t thing;
};

struct trail_block {
    int64_t since, until;
    struct trail_part parts[TRAIL_PARTS];
    unsigned n;
    unsigned items; /* that are in it */
};

struct trail {
    struct trail_item recent[TRAIL_RECENT]; /* a ring; each lasts until the next one */
    unsigned first, n;
    struct trail_block *blocks; /* NULL, or TRAIL_BLOCKS, the oldest first */
    unsigned n_blocks;
};

void trail_init(struct trail *h);
void trail_done(struct trail *h, struct memory *mem);

/* From `time` on it is something else. Without memory for what is older, that is not known. */
void trail_add(struct trail *h, struct memory *mem, int64_t time, uint32_t thing);

/* When the thing was over for the last time, among the last TRAIL_RECENT; INT64_MIN: never. */
int64_t trail_end_of(const struct trail *h, uint32_t thing);

/* Gives the parts of the time from `from` to `until`, which is not before the last thing's begin;
 * one thing may come several times. */
typedef void (*trail_fn)(void *userdata, uint32_t thing, int64_t ns);
void trail_ask(const struct trail *h, int64_t from, int64_t until, trail_fn tell, void *userdata);
