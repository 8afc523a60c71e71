/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/lives.h"

#include <errno.h>
#include <string.h>

void lives_init(struct lives *l, struct shares *shares, struct memory *mem, uint64_t seed)
{
    *l = (struct lives){.mem = mem, .shares = shares, .free = IDMAP_NONE};
    idmap_init(&l->numbers, mem, seed | 1);
}

void lives_done(struct lives *l)
{
    memory_free(l->mem, l->list, l->cap * sizeof(*l->list));
    idmap_done(&l->numbers);
}

static int add(struct lives *l, int64_t g, uint32_t *ret)
{
    uint32_t i = l->free;
    int r = 0;

    if (i == IDMAP_NONE) {
        if (l->n >= IDMAP_NONE)
            return -E2BIG;
        r = memory_grow(l->mem, &l->list, &l->cap, l->n + 1, sizeof(*l->list));
        i = (uint32_t)l->n;
    }
    if (r == 0)
        r = idmap_add(&l->numbers, (uint64_t)g, i);
    if (r < 0)
        return r;
    if (i == l->n)
        l->n++;
    else
        l->free = l->list[i].next_free;
    *ret = i;
    return 0;
}

int lives_new(struct lives *l, int64_t g, struct life **ret)
{
    uint32_t i = idmap_find(&l->numbers, (uint64_t)g);
    int r = 0;

    if (i != IDMAP_NONE)
        times_done(&l->list[i].times, l->shares);
    else
        r = add(l, g, &i);
    if (r < 0)
        return r;
    l->list[i] = (struct life){.g = g, .used = true};
    times_init(&l->list[i].times);
    *ret = &l->list[i];
    return 0;
}

void lives_forget(struct lives *l, struct life *life)
{
    times_done(&life->times, l->shares);
    idmap_remove(&l->numbers, (uint64_t)life->g);
    life->used = false;
    life->next_free = l->free;
    l->free = (uint32_t)(life - l->list);
}
