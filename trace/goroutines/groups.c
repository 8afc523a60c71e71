/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/groups.h"

#include <string.h>

void groups_init(struct groups *g, struct shares *shares, struct memory *mem)
{
    *g = (struct groups){.mem = mem, .shares = shares};
}

void groups_done(struct groups *g)
{
    memory_free(g->mem, g->list, g->cap * sizeof(*g->list));
    memory_free(g->mem, g->by_name, g->by_name_cap * sizeof(*g->by_name));
}

static int new_group(struct groups *g, uint32_t name)
{
    int r = memory_grow(g->mem, &g->list, &g->cap, g->n + 1, sizeof(*g->list));

    if (r == 0)
        r = memory_grow(g->mem, &g->by_name, &g->by_name_cap, name + 1U, sizeof(*g->by_name));
    if (r < 0)
        return r;
    for (; g->by_name_n <= name; g->by_name_n++)
        g->by_name[g->by_name_n] = 0;
    g->list[g->n] = (struct group){.name = name};
    times_init(&g->list[g->n].times);
    g->by_name[name] = (uint32_t)++g->n;
    return 0;
}

int groups_add(struct groups *g, uint32_t name, const struct times *times)
{
    struct group *group;
    int r = 0;

    if (name >= g->by_name_n || g->by_name[name] == 0)
        r = new_group(g, name);
    if (r < 0)
        return r;
    group = &g->list[g->by_name[name] - 1];
    group->count++;
    return times_merge(&group->times, g->shares, times);
}

const char *groups_shown_name(const char *name)
{
    return *name ? name : "(Inactive, no stack trace sampled)";
}
