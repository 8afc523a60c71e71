/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/wakers.h"

#include <stdlib.h>
#include <string.h>

void wakers_init(struct wakers *w, struct memory *mem, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->mem = mem;
    w->seed = seed;
    idmap_init(&w->ids, mem, seed);
}

void wakers_done(struct wakers *w)
{
    idmap_done(&w->ids);
    memory_free(w->mem, w->rows, w->rows_cap * sizeof(*w->rows));
}

static uint64_t hash_of(const struct wakers *w, const struct wakers_pair *p)
{
    uint64_t h = texts_mix(texts_mix(w->seed, p->waiter), p->at);

    return texts_mix(texts_mix(texts_mix(h, p->before), p->reason), p->stack);
}

/* The pair's row, which is made if there is room for it, or NULL. */
static struct wakers_row *row_of(struct wakers *w, const struct wakers_pair *pair)
{
    uint64_t h = hash_of(w, pair);
    uint32_t n = idmap_find(&w->ids, h);

    if (n != IDMAP_NONE)
        return &w->rows[n];
    if (w->n == WAKERS_MAX ||
        memory_grow(w->mem, &w->rows, &w->rows_cap, w->n + 1, sizeof(*w->rows)) < 0 ||
        idmap_add(&w->ids, h, w->n) < 0)
        return NULL;
    w->rows[w->n] = (struct wakers_row){.pair = *pair};
    return &w->rows[w->n++];
}

void wakers_add(struct wakers *w, const struct wakers_pair *pair, int64_t total)
{
    struct wakers_row *row = row_of(w, pair);

    if (!row)
        return;
    row->count++;
    row->total += total;
}

/* A row, and what makes it one with others: the sites of its stacks. */
struct entry {
    struct sites_frame waiter;
    struct sites_frame at;
    struct sites_frame of;
    uint32_t class;
    struct wakers_row row;
};

static struct sites_frame frame_of(const struct sites *s, uint32_t stack, unsigned column)
{
    uint32_t frame = sites_at(s, stack, column);

    return frame == IDMAP_NONE ? (struct sites_frame){.func = TEXTS_EMPTY, .file = TEXTS_EMPTY}
                               : s->frames[frame];
}

/* The column whose site tells best where that was. */
static unsigned column_of(uint32_t before)
{
    switch (before) {
    case SUMMARY_IN_SYSCALL: return SUMMARY_SYSCALL;
    case SUMMARY_IN_NETWORK: return SUMMARY_NET;
    default: return SUMMARY_SYNC;
    }
}

static int by_sites(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int r = sites_compare(&x->waiter, &y->waiter);

    if (r == 0 && x->class != y->class)
        r = x->class < y->class ? -1 : 1;
    if (r == 0)
        r = sites_compare(&x->at, &y->at);
    if (r == 0)
        r = sites_compare(&x->of, &y->of);
    if (r == 0 && x->row.pair.before != y->row.pair.before)
        r = x->row.pair.before < y->row.pair.before ? -1 : 1;
    if (r == 0 && x->row.pair.reason != y->row.pair.reason)
        r = x->row.pair.reason < y->row.pair.reason ? -1 : 1;
    return r;
}

static int by_total(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->row.total != y->row.total)
        return x->row.total > y->row.total ? -1 : 1;
    return by_sites(a, b);
}

/* Sums up entries of the same sites. The list must be sorted by them. */
static uint32_t merge(struct entry *list, uint32_t n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct wakers_row *to = kept > 0 ? &list[kept - 1].row : NULL;

        if (!to || by_sites(&list[kept - 1], &list[i]) != 0) {
            list[kept++] = list[i];
            continue;
        }
        to->count += list[i].row.count;
        to->total += list[i].row.total;
    }
    return kept;
}

static struct summary_waker waker_of(const struct sites *s, const struct entry *e)
{
    const struct wakers_pair *pair = &e->row.pair;

    return (struct summary_waker){
        .waiter = sites_text(s, &e->waiter),
        .class = (enum stack_class)e->class,
        .at = sites_text(s, &e->at),
        .before = (enum summary_before)pair->before,
        .reason = texts_get(s->texts, pair->reason),
        .before_at = sites_text(s, &e->of),
        .call = pair->before == SUMMARY_IN_NETWORK ? sites_named(s, pair->stack, "os.(*File).")
                                                   : sites_call(s, pair->stack).func,
        .count = e->row.count,
        .total = e->row.total,
    };
}

int wakers_top(struct wakers *w, struct sites *s, struct summary_wakers *ret)
{
    struct entry *list;
    uint32_t n = w->n;
    int r = n > 0 ? memory_new(w->mem, n * sizeof(*list), &list) : 0;

    if (r < 0 || n == 0)
        return r;
    for (uint32_t i = 0; i < n; i++) {
        const struct wakers_pair *pair = &w->rows[i].pair;

        list[i] = (struct entry){frame_of(s, pair->waiter, SUMMARY_SYNC),
                                 frame_of(s, pair->at, SUMMARY_SYNC),
                                 frame_of(s, pair->stack, column_of(pair->before)),
                                 s->stacks[pair->waiter].class, w->rows[i]};
    }
    qsort(list, n, sizeof(*list), by_sites);
    n = merge(list, n);
    qsort(list, n, sizeof(*list), by_total);
    n = n < SUMMARY_SITES ? n : SUMMARY_SITES;
    r = arena_new(&s->texts->arena, n * sizeof(*ret->list), &ret->list);
    for (uint32_t i = 0; r == 0 && i < n; i++)
        ret->list[ret->n++] = waker_of(s, &list[i]);
    memory_free(w->mem, list, w->n * sizeof(*list));
    return r;
}
