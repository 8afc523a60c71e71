/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All memory of a reader is counted against one limit, so that no trace can make it grow without
 * bound.
 */

#include <stdbool.h>
#include <stddef.h>

struct memory {
    size_t used;
    size_t max;
    bool failed; /* an allocation within the limit failed */
};

/* Zeroed memory. 0, -E2BIG beyond the limit, or -ENOMEM. */
int memory_new(struct memory *mem, size_t size, void *ret);

/*
 * Uninitialised memory, aligned to `alignment`; size is a multiple of it, too. MEMORY_LARGE is for
 * memory that is filled from front to back: it uses huge pages if possible, which cause far fewer
 * page faults.
 */
#define MEMORY_LINE ((size_t)64)
#define MEMORY_LARGE ((size_t)2 << 20)
int memory_new_aligned(struct memory *mem, size_t alignment, size_t size, void *ret);

/* Frees it; `size` as it was allocated. */
void memory_free(struct memory *mem, void *p, size_t size);

/*
 * Grows the array at *pp, which has room for *cap elements of `size` bytes, to at least `want`
 * elements: it doubles, or grows by an eighth where the bound leaves no room for that. New elements
 * are not zeroed. Errors as memory_new, and the array is unchanged then.
 */
static inline int memory_grow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size);

/* Its half that makes room. */
int memory_grow_slow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size);

static inline int memory_grow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size)
{
    return __builtin_expect(want <= *cap, 1) ? 0 : memory_grow_slow(mem, pp, cap, want, size);
}
