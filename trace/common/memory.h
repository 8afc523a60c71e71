/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Everything that a reader allocates is counted against one bound, so that no trace can make it
 * grow without end.
 */

#include <stdbool.h>
#include <stddef.h>

struct memory {
    size_t used;
    size_t max;
    bool failed; /* once there was no memory within the bound */
};

/* Zeroed memory. 0, -E2BIG over the bound, or -ENOMEM. */
int memory_new(struct memory *mem, size_t size, void *ret);

/*
 * Memory of any content at a multiple of `alignment`, of which size is one too. MEMORY_LARGE is for
 * what is filled from front to back: it comes in large pages if the system has any, which take far
 * fewer faults.
 */
#define MEMORY_LINE ((size_t)64)
#define MEMORY_LARGE ((size_t)2 << 20)
int memory_new_aligned(struct memory *mem, size_t alignment, size_t size, void *ret);

/* Gives it back; size as it was asked for. */
void memory_free(struct memory *mem, void *p, size_t size);

/*
 * Makes room for `want` elements of `size` bytes in the array at *pp of *cap elements, which at
 * least doubles when it must grow. What is new is not zeroed. Errors as memory_new; the array then
 * stays as it was.
 */
static inline int memory_grow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size);

/* Its half that makes room. */
int memory_grow_slow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size);

static inline int memory_grow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size)
{
    return __builtin_expect(want <= *cap, 1) ? 0 : memory_grow_slow(mem, pp, cap, want, size);
}
