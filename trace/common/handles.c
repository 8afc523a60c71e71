/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/handles.h"

#include <string.h>

#define FIRST 256

void handles_init(struct handles *h, struct memory *mem)
{
    memset(h, 0, sizeof(*h));
    h->mem = mem;
    h->generation = 1;
}

void handles_done(struct handles *h)
{
    memory_free(h->mem, h->places, h->n * sizeof(*h->places));
    h->places = NULL;
    h->n = 0;
}

/* Strings are added while a generation is read, so the table is larger than the number so far. */
static uint32_t places_for(uint32_t n_strings)
{
    uint32_t n = FIRST;

    while (n <= n_strings && n < HANDLES_MAX)
        n *= 2;
    return n;
}

void handles_generation(struct handles *h, uint32_t n_strings)
{
    uint32_t n = places_for(n_strings);
    struct handles_place *places;

    if (++h->generation == 0) { /* it wrapped: old places might seem to be of this generation */
        handles_done(h);
        h->generation = 1;
    }
    if (n <= h->n || memory_new(h->mem, n * sizeof(*places), &places) < 0)
        return;
    handles_done(h);
    h->places = places;
    h->n = n;
}
