/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A cache of what was found out about the strings of this generation, by the reader's handles. If a
 * generation has more strings than there are places, two strings may share a place; then the later
 * one replaces the earlier one, which must be looked up again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/memory.h"

#define HANDLES_MAX (1U << 16) /* places */

struct handles_place {
    uint32_t handle;
    uint32_t generation; /* 0: nothing was ever here */
    uint64_t value;
};

struct handles {
    struct memory *mem;
    struct handles_place *places;
    uint32_t n; /* a power of two, or 0 */
    uint32_t generation;
};

void handles_init(struct handles *h, struct memory *mem);
void handles_done(struct handles *h);

/* A generation with so many strings begins: the cache is emptied. Without memory it stays
 * smaller. */
void handles_generation(struct handles *h, uint32_t n_strings);

static inline bool handles_find(const struct handles *h, uint32_t handle, uint64_t *ret)
{
    const struct handles_place *place;

    if (__builtin_expect(h->n == 0, 0))
        return false;
    place = &h->places[handle & (h->n - 1)];
    *ret = place->value;
    return place->handle == handle && place->generation == h->generation;
}

static inline void handles_set(struct handles *h, uint32_t handle, uint64_t value)
{
    if (h->n > 0)
        h->places[handle & (h->n - 1)] = (struct handles_place){handle, h->generation, value};
}
