/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Texts that outlive the generation they were read in: equal texts get the same number in every
 * generation. The texts live in an arena, which is passed on to the summary when everything else is
 * released.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/common/handles.h"

/* The empty text, and the text that stands for all for which there is no room. */
enum { TEXTS_EMPTY, TEXTS_OTHER };

#define TEXTS_MAX 65536
#define TEXTS_MAX_BYTES (6U << 20)

/* A block of an arena: memory that is released all at once. */
struct summary_arena {
    struct summary_arena *next;
    size_t size;
    size_t used;
    _Alignas(16) char data[];
};

/* Writes a pointer to n zeroed bytes, aligned for any type, to ret. *arena is the head of the list.
 * 0 or -ENOMEM. */
int arena_new(struct summary_arena **arena, size_t n, void *ret);
void arena_free(struct summary_arena *arena);

struct texts {
    struct memory *mem;
    struct summary_arena *arena;
    uint64_t seed;
    struct idmap hashes;
    const char **list;
    size_t list_cap;
    uint32_t n;
    size_t bytes;
    struct handles by_handle; /* numbers */
};

/* Errors of memory.h, here and below. texts_done does not release the arena: its owner does. */
int texts_init(struct texts *t, struct memory *mem, uint64_t seed);
void texts_done(struct texts *t);

/* A generation with this many strings begins. */
void texts_generation(struct texts *t, uint32_t n_strings);

int texts_add(struct texts *t, const char *text, size_t len, uint32_t *ret);

/* The number of a string of this generation. */
int texts_of(struct texts *t, const struct gotrace *trace, uint32_t handle, uint32_t *ret);

static inline const char *texts_get(const struct texts *t, uint32_t n)
{
    return t->list[n];
}

/* The hash of a text; texts of different kinds have different ones. */
uint64_t texts_hash(uint64_t seed, uint64_t kind, const char *text, size_t len);

/* Mixes one more value into a hash that starts from a secret seed, so that no trace can be made to
 * collide. */
static inline uint64_t texts_mix(uint64_t hash, uint64_t value)
{
    __uint128_t product = (__uint128_t)(hash ^ value) * 0x9e3779b97f4a7c15U;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
