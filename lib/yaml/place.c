/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/yaml/place.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

void places_done(struct places *p)
{
    free(p->items);
    *p = (struct places){0};
}

int places_add(struct places *p, const void *of, unsigned line, unsigned column, bool bad)
{
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 64;
        struct place *items = reallocarray(p->items, cap, sizeof(*items));

        if (!items)
            return -ENOMEM;
        p->items = items;
        p->cap = cap;
    }
    p->items[p->n++] = (struct place){.of = of, .line = line, .column = column, .bad = bad};
    p->sorted = false;
    return 0;
}

static int compare(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct place *)a)->of;
    uintptr_t y = (uintptr_t)((const struct place *)b)->of;

    return (x > y) - (x < y);
}

const struct place *places_find(struct places *p, const void *of)
{
    const struct place key = {.of = of};

    if (p->n == 0)
        return NULL;
    if (!p->sorted) {
        qsort(p->items, p->n, sizeof(p->items[0]), compare);
        p->sorted = true;
    }
    return bsearch(&key, p->items, p->n, sizeof(p->items[0]), compare);
}
