/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/whereabouts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void whereabouts_init(struct whereabouts *p, struct memory *mem, uint64_t seed)
{
    *p = (struct whereabouts){.mem = mem, .seed = seed};
    idmap_init(&p->ids, mem, seed);
    idmap_init(&p->creator_ids, mem, seed);
}

void whereabouts_done(struct whereabouts *p)
{
    idmap_done(&p->ids);
    idmap_done(&p->creator_ids);
    memory_free(p->mem, p->rows, p->cap * sizeof(*p->rows));
    memory_free(p->mem, p->creators, p->creators_cap * sizeof(*p->creators));
}

int whereabouts_row(struct whereabouts *p, const struct whereabouts_key *key,
                    struct whereabouts_row **ret)
{
    uint64_t hash = texts_mix(texts_mix(p->seed, key->state), key->reason);
    uint32_t n;
    int r = 0;

    hash = texts_mix(texts_mix(hash, key->stack), key->name);
    n = idmap_find(&p->ids, hash);
    *ret = NULL;
    if (n == IDMAP_NONE) {
        n = p->n;
        r = n < WHEREABOUTS_MAX ? memory_grow(p->mem, &p->rows, &p->cap, n + 1U, sizeof(*p->rows))
                                : -E2BIG;
        if (r == 0)
            r = idmap_add(&p->ids, hash, n);
        if (r < 0)
            return r == -E2BIG ? 0 : r;
        p->rows[p->n++] = (struct whereabouts_row){.key = *key};
    }
    *ret = &p->rows[n];
    return 0;
}

int whereabouts_created(struct whereabouts *p, const struct whereabouts_row *row, uint32_t stack,
                        int64_t age)
{
    uint32_t number = (uint32_t)(row - p->rows);
    uint64_t hash = texts_mix(texts_mix(p->seed, number), stack);
    uint32_t n = idmap_find(&p->creator_ids, hash);
    struct whereabouts_pair *c;
    int r = 0;

    if (n == IDMAP_NONE) {
        n = p->n_creators;
        r = n < WHEREABOUTS_CREATORS_MAX
              ? memory_grow(p->mem, &p->creators, &p->creators_cap, n + 1U, sizeof(*p->creators))
              : -E2BIG;
        if (r == 0)
            r = idmap_add(&p->creator_ids, hash, n);
        if (r < 0)
            return r == -E2BIG ? 0 : r;
        p->creators[p->n_creators++] =
            (struct whereabouts_pair){.row = number, .stack = stack, .newest = INT64_MAX};
    }
    c = &p->creators[n];
    c->count++;
    c->oldest = c->oldest > age ? c->oldest : age;
    c->newest = c->newest < age ? c->newest : age;
    return 0;
}

/* A row with the frames that make it one with others. */
struct entry {
    uint32_t row;
    struct whereabouts_group g;
};

static int by_frame(const struct summary_frame *a, const struct summary_frame *b)
{
    int r = strcmp(a->func, b->func);

    if (r == 0)
        r = strcmp(a->file, b->file);
    return r != 0 ? r : (a->line > b->line) - (a->line < b->line);
}

/* By all but the reason. */
static int by_place(const struct whereabouts_group *x, const struct whereabouts_group *y)
{
    int r = (x->state > y->state) - (x->state < y->state);

    if (r == 0)
        r = strcmp(x->name, y->name);
    if (r == 0)
        r = by_frame(&x->at, &y->at);
    return r != 0 ? r : by_frame(&x->own.at, &y->own.at);
}

static int by_sites(const void *a, const void *b)
{
    const struct whereabouts_group *x = &((const struct entry *)a)->g;
    const struct whereabouts_group *y = &((const struct entry *)b)->g;
    int r = by_place(x, y);

    return r != 0 ? r : strcmp(x->reason, y->reason);
}

/* Whether they are one group. What began to wait before the trace has no reason, which sorts first;
 * its place tells it. */
static bool same_group(const struct whereabouts_group *x, const struct whereabouts_group *y)
{
    return by_place(x, y) == 0 &&
           (strcmp(x->reason, y->reason) == 0 || (!*x->reason && *x->at.func));
}

static enum summary_profile profile_of(uint32_t state, const char *reason)
{
    if (state == GOTRACE_GO_SYSCALL)
        return SUMMARY_SYSCALL;
    return strcmp(reason, "network") == 0 ? SUMMARY_NET : SUMMARY_SYNC;
}

static struct whereabouts_group group_of(const struct sites *s, const struct whereabouts_row *row)
{
    const char *reason = texts_get(s->texts, row->key.reason);
    enum summary_profile profile = profile_of(row->key.state, reason);

    return (struct whereabouts_group){
        .state = (enum gotrace_go_state)row->key.state,
        .reason = reason,
        .name = texts_get(s->texts, row->key.name),
        .at = sites_frame(s, row->key.stack, profile),
        .own = sites_own(s, row->key.stack, profile),
    };
}

static void add_row(struct whereabouts_group *g, const struct whereabouts_row *row)
{
    g->count += row->count;
    g->at_start += row->at_start;
    g->older += row->older;
    g->longest = g->longest > row->longest ? g->longest : row->longest;
}

static int by_count(const void *a, const void *b)
{
    const struct whereabouts_creator *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return by_frame(&x->at, &y->at);
}

static int groups_by_count(const void *a, const void *b)
{
    const struct whereabouts_group *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    if (x->at_start != y->at_start)
        return x->at_start > y->at_start ? -1 : 1;
    return by_frame(&x->at, &y->at);
}

/* Adds a creator to those of a group, which has room for it. */
static void add_creator(struct whereabouts_creator *list, size_t *n, const struct sites *s,
                        const struct whereabouts_pair *from)
{
    struct summary_frame at = sites_frame(s, from->stack, SUMMARY_SYNC);
    struct summary_own own = sites_own(s, from->stack, SUMMARY_SYNC);
    size_t i = 0;

    while (i < *n && (by_frame(&list[i].at, &at) != 0 || by_frame(&list[i].own.at, &own.at) != 0))
        i++;
    if (i == *n)
        list[(*n)++] = (struct whereabouts_creator){.at = at, .own = own, .newest = INT64_MAX};
    list[i].count += from->count;
    list[i].oldest = list[i].oldest > from->oldest ? list[i].oldest : from->oldest;
    list[i].newest = list[i].newest < from->newest ? list[i].newest : from->newest;
}

/* Gives each group the creators of its rows; of_row: the group of each row. */
static int give_creators(const struct whereabouts *p, const struct sites *s, const uint32_t *of_row,
                         struct whereabouts_group *list, size_t n)
{
    for (uint32_t i = 0; i < p->n_creators; i++)
        list[of_row[p->creators[i].row]].n_creators++;
    for (size_t i = 0; i < n; i++) {
        list[i].creators = calloc(list[i].n_creators + 1, sizeof(*list[i].creators));
        if (!list[i].creators)
            return -ENOMEM;
        list[i].n_creators = 0;
    }
    for (uint32_t i = 0; i < p->n_creators; i++) {
        struct whereabouts_group *g = &list[of_row[p->creators[i].row]];

        add_creator((struct whereabouts_creator *)(uintptr_t)g->creators, &g->n_creators, s,
                    &p->creators[i]);
    }
    for (size_t i = 0; i < n; i++)
        qsort((struct whereabouts_creator *)(uintptr_t)list[i].creators, list[i].n_creators,
              sizeof(*list[i].creators), by_count);
    return 0;
}

static size_t merge(const struct whereabouts *p, const struct entry *entries,
                    struct whereabouts_group *list, uint32_t *of_row)
{
    size_t n = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        if (n == 0 || !same_group(&list[n - 1], &entries[i].g))
            list[n++] = entries[i].g;
        list[n - 1].reason = entries[i].g.reason;
        add_row(&list[n - 1], &p->rows[entries[i].row]);
        of_row[entries[i].row] = (uint32_t)(n - 1);
    }
    return n;
}

int whereabouts_list(const struct whereabouts *p, const struct sites *s,
                     struct whereabouts_group **ret, size_t *ret_n)
{
    struct entry *entries = calloc(p->n + 1U, sizeof(*entries));
    struct whereabouts_group *list = calloc(p->n + 1U, sizeof(*list));
    uint32_t *of_row = calloc(p->n + 1U, sizeof(*of_row));
    int r = entries && list && of_row ? 0 : -ENOMEM;
    size_t n = 0;

    for (uint32_t i = 0; r == 0 && i < p->n; i++)
        entries[i] = (struct entry){i, group_of(s, &p->rows[i])};
    if (r == 0) {
        qsort(entries, p->n, sizeof(*entries), by_sites);
        n = merge(p, entries, list, of_row);
        r = give_creators(p, s, of_row, list, n);
    }
    free(entries);
    free(of_row);
    if (r < 0) {
        whereabouts_release(list, n);
        return r;
    }
    qsort(list, n, sizeof(*list), groups_by_count);
    *ret = list;
    *ret_n = n;
    return 0;
}

void whereabouts_release(struct whereabouts_group *list, size_t n)
{
    for (size_t i = 0; list && i < n; i++)
        free((void *)(uintptr_t)list[i].creators);
    free(list);
}
