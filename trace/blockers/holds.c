/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/blockers/holds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/blockers/trail.h"

void holds_init(struct holds *h, struct memory *mem, uint64_t seed)
{
    *h = (struct holds){.mem = mem, .seed = seed};
    idmap_init(&h->ids, mem, seed);
    idmap_init(&h->thing_ids, mem, seed);
}

void holds_done(struct holds *h)
{
    idmap_done(&h->ids);
    idmap_done(&h->thing_ids);
    memory_free(h->mem, h->rows, h->cap * sizeof(*h->rows));
    memory_free(h->mem, h->things, h->things_cap * sizeof(*h->things));
}

void holds_clear(struct holds *h)
{
    idmap_clear(&h->ids);
    h->n = 0;
    h->lost = 0;
    h->lost_ns = 0;
}

/* Whether a table has room for one more. */
static bool grow(struct holds *h, void *list, size_t *cap, uint32_t n, uint32_t max, size_t size)
{
    return n < max && memory_grow(h->mem, list, cap, n + 1U, size) == 0;
}

uint32_t holds_thing(struct holds *h, const struct holds_thing *thing)
{
    uint64_t hash =
        texts_mix(texts_mix(texts_mix(h->seed, thing->kind), thing->reason), thing->stack);
    uint32_t n = idmap_find(&h->thing_ids, hash);

    if (n != IDMAP_NONE)
        return n;
    if (!grow(h, &h->things, &h->things_cap, h->n_things, HOLDS_THINGS_MAX, sizeof(*h->things)) ||
        idmap_add(&h->thing_ids, hash, h->n_things) < 0)
        return TRAIL_UNKNOWN;
    h->things[h->n_things] = *thing;
    return h->n_things++;
}

struct holds_row *holds_row(struct holds *h, const struct holds_pair *pair)
{
    uint64_t hash = texts_mix(texts_mix(h->seed, pair->reason), pair->waiter);
    uint32_t n;

    hash = texts_mix(texts_mix(hash, pair->waker), pair->name);
    n = idmap_find(&h->ids, hash);
    if (n != IDMAP_NONE)
        return &h->rows[n];
    if (!grow(h, &h->rows, &h->cap, h->n, HOLDS_MAX, sizeof(*h->rows)) ||
        idmap_add(&h->ids, hash, h->n) < 0)
        return NULL;
    memset(&h->rows[h->n], 0, sizeof(*h->rows));
    h->rows[h->n].pair = *pair;
    return &h->rows[h->n++];
}

void holds_tell(void *userdata, uint32_t thing, int64_t ns)
{
    struct holds_row *row = userdata;
    uint32_t i = 0;

    while (i < row->n_parts && row->parts[i].thing != thing)
        i++;
    if (thing == TRAIL_UNKNOWN || i == HOLDS_PARTS_MAX) {
        row->unknown += ns;
        return;
    }
    if (i == row->n_parts)
        row->parts[row->n_parts++] = (struct holds_part){thing, 0};
    row->parts[i].ns += ns;
}

static enum summary_profile profile_of(enum holds_kind kind)
{
    return kind == HOLDS_SYSCALL ? SUMMARY_SYSCALL
         : kind == HOLDS_NETWORK ? SUMMARY_NET
                                 : SUMMARY_SYNC;
}

static struct holds_did did_of(const struct holds *h, const struct sites *s, uint32_t number)
{
    const struct holds_thing *thing = &h->things[number];
    enum summary_profile profile = profile_of(thing->kind);

    return (struct holds_did){
        .kind = thing->kind,
        .reason = texts_get(s->texts, thing->reason),
        .call = thing->kind == HOLDS_SYSCALL ? sites_call(s, thing->stack).func
              : thing->kind == HOLDS_NETWORK ? sites_named(s, thing->stack, "os.(*File).")
                                             : "",
        .at = sites_frame(s, thing->stack, profile),
        .own = sites_own(s, thing->stack, profile),
    };
}

static bool same_frame(const struct summary_frame *a, const struct summary_frame *b)
{
    return a->line == b->line && strcmp(a->func, b->func) == 0 && strcmp(a->file, b->file) == 0;
}

static bool same_place(const struct summary_frame *a, const struct summary_own *own_a,
                       const struct summary_frame *b, const struct summary_own *own_b)
{
    return same_frame(a, b) && same_frame(&own_a->at, &own_b->at);
}

/* Adds what was done to the list, which has room for it. */
static void add_did(struct holds_blocker *b, const struct holds_did *did)
{
    size_t i = 0;

    while (i < b->n_did &&
           (b->did[i].kind != did->kind || strcmp(b->did[i].reason, did->reason) != 0 ||
            strcmp(b->did[i].call, did->call) != 0 ||
            !same_place(&b->did[i].at, &b->did[i].own, &did->at, &did->own)))
        i++;
    if (i == b->n_did) {
        b->did[b->n_did] = *did;
        b->did[b->n_did++].ns = 0;
    }
    b->did[i].ns += did->ns;
}

static int longer(const void *a, const void *b)
{
    const struct holds_did *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    return strcmp(x->at.func, y->at.func);
}

/* Adds a row to one of the same sites, or to an empty one. */
static int add_row(struct holds_blocker *b, const struct holds *h, const struct sites *s,
                   const struct holds_row *row)
{
    struct holds_did *more = reallocarray(b->did, b->n_did + row->n_parts + 1, sizeof(*b->did));

    if (!more)
        return -ENOMEM;
    b->did = more;
    b->count += row->count;
    b->total += row->total;
    b->max = b->max > row->max ? b->max : row->max;
    b->holds += row->holds;
    b->held += row->held;
    b->longest = b->longest > row->longest ? b->longest : row->longest;
    for (uint32_t i = 0; i < row->n_parts; i++) {
        struct holds_did did = did_of(h, s, row->parts[i].thing);

        did.ns = row->parts[i].ns;
        add_did(b, &did);
    }
    if (row->unknown > 0)
        add_did(b, &(struct holds_did){
                       HOLDS_UNKNOWN, "", "", {"", "", 0}, {{"", "", 0}, ""}, row->unknown});
    qsort(b->did, b->n_did, sizeof(*b->did), longer);
    return 0;
}

/* A row with the frames that make it one with others. */
struct entry {
    const struct holds_row *row;
    struct holds_blocker b;
};

static int by_frame(const struct summary_frame *a, const struct summary_frame *b)
{
    int r = strcmp(a->func, b->func);

    if (r == 0)
        r = strcmp(a->file, b->file);
    return r != 0 ? r : (a->line > b->line) - (a->line < b->line);
}

static int by_sites(const void *a, const void *b)
{
    const struct holds_blocker *x = &((const struct entry *)a)->b;
    const struct holds_blocker *y = &((const struct entry *)b)->b;
    int r = by_frame(&x->waiter, &y->waiter);

    if (r == 0)
        r = by_frame(&x->waker, &y->waker);
    if (r == 0)
        r = by_frame(&x->waiter_own.at, &y->waiter_own.at);
    if (r == 0)
        r = by_frame(&x->waker_own.at, &y->waker_own.at);
    if (r == 0)
        r = strcmp(x->name, y->name);
    if (r == 0)
        r = strcmp(x->reason, y->reason);
    return r != 0 ? r : (x->class > y->class) - (x->class < y->class);
}

static struct entry entry_of(const struct sites *s, const struct holds_row *row)
{
    const struct holds_pair *pair = &row->pair;

    return (struct entry){
        row,
        {.reason = texts_get(s->texts, pair->reason),
         .class = (enum stack_class)s->stacks[pair->waiter].class,
         .waiter = sites_frame(s, pair->waiter, SUMMARY_SYNC),
         .waker = sites_frame(s, pair->waker, SUMMARY_SYNC),
         .waiter_own = sites_own(s, pair->waiter, SUMMARY_SYNC),
         .waker_own = sites_own(s, pair->waker, SUMMARY_SYNC),
         .name = texts_get(s->texts, pair->name)},
    };
}

bool holds_is_standing(const struct holds_blocker *b)
{
    return (STACK_SET(b->class) & STACK_STANDING) != 0;
}

static int by_total(const void *a, const void *b)
{
    const struct holds_blocker *x = a, *y = b;
    bool x_stands = holds_is_standing(x), y_stands = holds_is_standing(y);

    if (x_stands != y_stands)
        return x_stands ? 1 : -1;
    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    return by_frame(&x->waiter, &y->waiter);
}

static int merge(struct holds *h, const struct sites *s, const struct entry *entries,
                 struct holds_blocker *list, size_t *ret_n)
{
    size_t n = 0;
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < h->n; i++) {
        if (i == 0 || by_sites(&entries[i - 1], &entries[i]) != 0)
            list[n++] = entries[i].b;
        r = add_row(&list[n - 1], h, s, entries[i].row);
    }
    *ret_n = n;
    return r;
}

int holds_list(struct holds *h, const struct sites *s, struct holds_blocker **ret, size_t *ret_n)
{
    struct entry *entries = calloc(h->n + 1U, sizeof(*entries));
    struct holds_blocker *list = calloc(h->n + 1U, sizeof(*list));
    size_t n = 0;
    int r = entries && list ? 0 : -ENOMEM;

    for (uint32_t i = 0; r == 0 && i < h->n; i++)
        entries[i] = entry_of(s, &h->rows[i]);
    if (r == 0) {
        qsort(entries, h->n, sizeof(*entries), by_sites);
        r = merge(h, s, entries, list, &n);
    }
    free(entries);
    if (r < 0) {
        holds_release(list, n);
        return r;
    }
    qsort(list, n, sizeof(*list), by_total);
    *ret = list;
    *ret_n = n;
    return 0;
}

void holds_release(struct holds_blocker *list, size_t n)
{
    for (size_t i = 0; list && i < n; i++)
        free(list[i].did);
    free(list);
}
