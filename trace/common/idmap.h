/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From a number of 64 bits to one of 32: goroutines, tasks and threads to the place where their
 * state is kept, the ids of strings and stacks to handles.
 *
 * A hash table with open addressing. It multiplies by the golden ratio, which spreads numbers that
 * follow each other without a collision, as those in traces do. Where that crowds, it goes over to
 * a secret factor, so that nobody can write a trace whose numbers all fall into one place.
 * Ids that are dense, as those of strings and stacks are, go into a plain array (idmap_add_dense,
 * idmap_seal), for the price of one load a look-up.
 */

#include <stdint.h>

#include "trace/common/memory.h"

/* Two to the power of 64 by the golden ratio. */
#define IDMAP_GOLDEN 0x9e3779b97f4a7c15U

/* An entry this many slots from home shows that the factor spreads badly. */
#define IDMAP_CROWDED 64

/* No value may be this. */
#define IDMAP_NONE UINT32_MAX

struct idmap_slot {
    uint64_t id;
    uint32_t value; /* plus 1; 0: the slot is free */
};

struct idmap {
    struct memory *mem;
    uint64_t factor;
    uint64_t secret; /* the factor to go over to */
    struct idmap_slot *slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t n;       /* in slots */
    unsigned shift;
    uint32_t *dense; /* values plus 1 by id */
    size_t n_dense;  /* after idmap_seal: all ids below it are in the array, and only there */
    size_t dense_cap;
    size_t n_placed; /* by idmap_add_dense */
    uint64_t max_id;
};

void idmap_init(struct idmap *map, struct memory *mem, uint64_t secret);
void idmap_done(struct idmap *map);

/* Removes all entries and keeps the memory. */
void idmap_clear(struct idmap *map);

/* 0, -EEXIST, or an error of memory.h: then the id is not there. Not after idmap_seal. */
int idmap_add(struct idmap *map, uint64_t id, uint32_t value);

/* Gives an id that is there another value. Not after idmap_seal. */
void idmap_set(struct idmap *map, uint64_t id, uint32_t value);

/*
 * The same for ids that are mostly consecutive, if nothing is looked up before idmap_seal and
 * nothing is removed.
 */
int idmap_add_dense(struct idmap *map, uint64_t id, uint32_t value);

/* Removes the id, if it is there. Returns its value, or IDMAP_NONE. Not after idmap_seal. */
uint32_t idmap_remove(struct idmap *map, uint64_t id);

/* Promises that nothing is added or removed until idmap_clear. Errors of memory.h. */
int idmap_seal(struct idmap *map);

/* The slow path of idmap_find. */
static inline uint32_t idmap_find_slot(const struct idmap *map, uint64_t id)
{
    size_t mask = map->n_slots - 1;

    if (map->n == 0)
        return IDMAP_NONE;
    for (size_t i = (size_t)(id * map->factor >> map->shift);; i = (i + 1) & mask) {
        const struct idmap_slot *slot = &map->slots[i];

        if (slot->id == id && slot->value != 0)
            return slot->value - 1;
        if (slot->value == 0)
            return IDMAP_NONE;
    }
}

/* The id's value, or IDMAP_NONE. */
static inline uint32_t idmap_find(const struct idmap *map, uint64_t id)
{
    if (__builtin_expect(id < map->n_dense, 1))
        return map->dense[id] - 1;
    return idmap_find_slot(map, id);
}
