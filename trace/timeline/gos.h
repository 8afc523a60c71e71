/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The goroutines that there are at a moment of a trace, by their numbers, each with its state. The
 * memory is the caller's to bound.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"

struct go {
    int64_t g;
    int64_t since; /* when it entered its state, as far as that is within the trace */
    uint32_t name; /* of its start function, and */
    uint32_t lane; /* its own lane: for whoever uses them */
    uint32_t next_free;
    int32_t p;     /* on which it runs, or is in a syscall; or GOTRACE_NONE */
    uint8_t state; /* enum gotrace_go_state */
    uint8_t wait;  /* enum waits_class, if it waits */
    bool used;
};

struct gos {
    struct memory *mem;
    struct idmap numbers;
    struct go *list;
    size_t n, cap;
    uint32_t free;
};

void gos_init(struct gos *gos, struct memory *mem, uint64_t seed);
void gos_done(struct gos *gos);

/* NULL if there is none. Valid until the next call of gos_add. */
static inline struct go *gos_find(const struct gos *gos, int64_t g)
{
    uint32_t i = idmap_find(&gos->numbers, (uint64_t)g);

    return i == IDMAP_NONE ? NULL : &gos->list[i];
}

/* Adds a goroutine in no state; one that has the number already is forgotten, as threads of C use
 * theirs again. 0, or an error of memory.h. */
int gos_add(struct gos *gos, int64_t g, struct go **ret);

void gos_remove(struct gos *gos, struct go *go);
