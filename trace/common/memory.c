/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int take(struct memory *mem, size_t size)
{
    if (size > mem->max || mem->used > mem->max - size)
        return -E2BIG;
    mem->used += size;
    return 0;
}

int memory_new(struct memory *mem, size_t size, void *ret)
{
    int r = take(mem, size);
    void *p;

    if (r < 0)
        return r;
    p = calloc(1, size);
    if (!p) {
        mem->used -= size;
        mem->failed = true;
        return -ENOMEM;
    }
    memcpy(ret, &p, sizeof(p));
    return 0;
}

int memory_new_aligned(struct memory *mem, size_t alignment, size_t size, void *ret)
{
    int r = take(mem, size);
    void *p;

    if (r < 0)
        return r;
    p = aligned_alloc(alignment, size);
    if (!p) {
        mem->used -= size;
        mem->failed = true;
        return -ENOMEM;
    }
    if (alignment >= MEMORY_LARGE)
        (void)madvise(p, size, MADV_HUGEPAGE); /* without large pages, small ones are used */
    memcpy(ret, &p, sizeof(p));
    return 0;
}

void memory_free(struct memory *mem, void *p, size_t size)
{
    if (!p)
        return;
    mem->used -= size;
    free(p);
}

int memory_grow_slow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size)
{
    size_t n = *cap ? *cap : 16;
    void *p;
    int r;

    if (want > SIZE_MAX / 2 / size)
        return -E2BIG;
    while (n < want)
        n *= 2;
    r = take(mem, (n - *cap) * size);
    if (r < 0) {
        n = want + want / 8;
        r = take(mem, (n - *cap) * size);
    }
    if (r < 0)
        return r;
    memcpy(&p, pp, sizeof(p));
    p = realloc(p, n * size);
    if (!p) {
        mem->used -= (n - *cap) * size;
        mem->failed = true;
        return -ENOMEM;
    }
    memcpy(pp, &p, sizeof(p));
    *cap = n;
    return 0;
}
