/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/ps.h"

#include "trace/gotrace.h"

void ps_init(struct ps *ps, struct memory *mem, uint64_t seed)
{
    *ps = (struct ps){.mem = mem};
    idmap_init(&ps->numbers, mem, seed | 1);
}

void ps_done(struct ps *ps)
{
    memory_free(ps->mem, ps->list, ps->cap * sizeof(*ps->list));
    idmap_done(&ps->numbers);
}

int ps_get(struct ps *ps, int32_t p, struct on_p **ret)
{
    uint32_t i = idmap_find(&ps->numbers, (uint64_t)p);
    int r = 0;

    if (i == IDMAP_NONE) {
        i = (uint32_t)ps->n;
        r = memory_grow(ps->mem, &ps->list, &ps->cap, ps->n + 1, sizeof(*ps->list));
        if (r == 0)
            r = idmap_add(&ps->numbers, (uint64_t)p, i);
        if (r < 0)
            return r;
        ps->list[ps->n++] = (struct on_p){GOTRACE_NONE, GOTRACE_NONE};
    }
    *ret = &ps->list[i];
    return 0;
}
