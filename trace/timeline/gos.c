/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/timeline/gos.h"

#include <errno.h>

void gos_init(struct gos *gos, struct memory *mem, uint64_t seed)
{
    *gos = (struct gos){.mem = mem, .free = IDMAP_NONE};
    idmap_init(&gos->numbers, mem, seed | 1);
}

void gos_done(struct gos *gos)
{
    memory_free(gos->mem, gos->list, gos->cap * sizeof(*gos->list));
    idmap_done(&gos->numbers);
}

static int place(struct gos *gos, int64_t g, uint32_t *ret)
{
    uint32_t i = gos->free;
    int r = 0;

    if (i == IDMAP_NONE) {
        if (gos->n >= IDMAP_NONE)
            return -E2BIG;
        r = memory_grow(gos->mem, &gos->list, &gos->cap, gos->n + 1, sizeof(*gos->list));
        i = (uint32_t)gos->n;
    }
    if (r == 0)
        r = idmap_add(&gos->numbers, (uint64_t)g, i);
    if (r < 0)
        return r;
    if (i == gos->n)
        gos->n++;
    else
        gos->free = gos->list[i].next_free;
    *ret = i;
    return 0;
}

int gos_add(struct gos *gos, int64_t g, struct go **ret)
{
    uint32_t i = idmap_find(&gos->numbers, (uint64_t)g);
    int r = i == IDMAP_NONE ? place(gos, g, &i) : 0;

    if (r < 0)
        return r;
    gos->list[i] = (struct go){.g = g, .p = GOTRACE_NONE, .used = true};
    *ret = &gos->list[i];
    return 0;
}

void gos_remove(struct gos *gos, struct go *go)
{
    idmap_remove(&gos->numbers, (uint64_t)go->g);
    go->used = false;
    go->next_free = gos->free;
    gos->free = (uint32_t)(go - gos->list);
}
