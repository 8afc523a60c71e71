/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tracks on which slices lie within each other. What is open on them is remembered, so that a part
 * of a trace can be written: where it begins, what is open begins there, and where it ends, all that
 * is open ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"
#include "trace/export/packets.h"

#define LANES_DEPTH 16
#define LANES_MAX 16384 /* at one moment, beside those that were given back */

#define LANES_NONE UINT32_MAX

/* What is a group of lanes: a track of the file, below the trace's own. */
enum lanes_group {
    LANES_COUNTERS,
    LANES_COLLECTOR,
    LANES_PS,
    LANES_GOROUTINES,
    LANES_TASKS,
    LANES_REGIONS,
    LANES_N_GROUPS,
};

struct lane {
    uint64_t track;
    int64_t rank;  /* 0: the group's lanes are shown as one */
    uint32_t name; /* in texts */
    uint32_t next_free;
    uint8_t group;
    bool told;      /* the file has its descriptor */
    bool used;      /* a slice has begun on it */
    uint32_t depth; /* beyond LANES_DEPTH only counted */
    struct packets_slice open[LANES_DEPTH];
};

struct lanes {
    struct memory *mem;
    struct packets *packets;
    struct lane *list;
    size_t n, cap;
    uint32_t free[LANES_N_GROUPS];
    uint64_t tracks; /* the last track's number */
    bool told[LANES_N_GROUPS];
    bool writing; /* within the part that is written */
};

void lanes_init(struct lanes *l, struct memory *mem, struct packets *packets);
void lanes_done(struct lanes *l);

/* A lane, perhaps one that was given back, which has then that one's name. *ret is LANES_NONE if
 * there are too many. 0, or an error of memory.h. */
int lanes_new(struct lanes *l, enum lanes_group group, uint32_t name, int64_t rank, uint32_t *ret);

/* Gives an empty lane back to its group. */
void lanes_free(struct lanes *l, uint32_t lane);

/* It is called so. */
void lanes_name(struct lanes *l, uint32_t lane, uint32_t name);

/* A counter's track; it may be used at once. */
uint64_t lanes_counter(struct lanes *l, const char *name, enum packets_unit unit);

/* LANES_NONE is no error: nothing happens. */
void lanes_push(struct lanes *l, uint32_t lane, int64_t time, const struct packets_slice *slice);
void lanes_pop(struct lanes *l, uint32_t lane, int64_t time);

/* The slice below so many others ends, and the others go on. */
void lanes_pop_below(struct lanes *l, uint32_t lane, int64_t time, uint64_t above);

void lanes_pop_all(struct lanes *l, uint32_t lane, int64_t time);

/* The part that is written begins, or ends. */
void lanes_enter(struct lanes *l, int64_t time);
void lanes_leave(struct lanes *l, int64_t time);
