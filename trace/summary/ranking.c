/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/ranking.h"

#include <stdlib.h>
#include <string.h>

/* What a table is of, and by what. */
struct wish {
    unsigned column;
    unsigned classes;
    const bool *picked; /* by the stack's number; NULL: all */
    bool whole;         /* with what is not in the column */
    bool by_site;       /* whosever code leads there */
    bool by_own;        /* by own code alone, where there is any */
};

/* A stack and its site, or all stacks of a site after merge. */
struct entry {
    struct sites_frame at;
    struct sites_frame own; /* func TEXTS_EMPTY: none */
    uint32_t call;          /* a function's text */
    uint32_t stack;         /* the heaviest */
    uint32_t n_stacks;
    uint8_t class;
    bool standing; /* kept apart */
    bool by_site;
    struct tally ended;
    struct tally open;
    struct tally older;
    int64_t top_total;  /* of ended ones in that stack, */
    int64_t top_weight; /* and of all */
};

/* Classes that a table of waits keeps apart. */
static unsigned standing_in(unsigned column)
{
    switch (column) {
    case SUMMARY_SYNC:
    case SUMMARY_NET:
    case SUMMARY_SYSCALL: return STACK_STANDING | STACK_SET(STACK_RUNTIME);
    default: return 0;
    }
}

static int64_t weight(const struct entry *e)
{
    return e->ended.total + e->open.total + e->older.total;
}

static uint64_t times(const struct entry *e)
{
    return e->ended.count + e->open.count + e->older.count;
}

/* What makes an entry one with others, as a number. */
static uint64_t place_of(const struct sites *s, const struct entry *e)
{
    uint64_t h = texts_mix(texts_mix(s->seed, e->class), e->at.func);

    h = texts_mix(texts_mix(h, e->at.file), e->at.line);
    if (e->by_site)
        return h;
    return texts_mix(texts_mix(texts_mix(h, e->own.func), e->own.file), e->own.line);
}

static int by_weight(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->standing != y->standing)
        return x->standing ? 1 : -1;
    if (weight(x) != weight(y))
        return weight(x) > weight(y) ? -1 : 1;
    if (times(x) != times(y))
        return times(x) > times(y) ? -1 : 1;
    return x->stack < y->stack ? -1 : 1;
}

static void add_tally(struct tally *to, const struct tally *from)
{
    to->count += from->count;
    to->total += from->total;
    if (from->max > to->max)
        to->max = from->max;
}

/* Adds what is not in the profile's column: what had not ended, and what had no reason. */
static void add_others(const struct sites *s, unsigned profile, struct entry *e)
{
    const struct sites_stack *k = &s->stacks[e->stack];
    static const uint8_t open[SUMMARY_N_PROFILES] = {
        [SUMMARY_SYNC] = SITES_OPEN + SUMMARY_OPEN_SYNC,
        [SUMMARY_NET] = SITES_OPEN + SUMMARY_OPEN_NET,
        [SUMMARY_SYSCALL] = SITES_OPEN + SUMMARY_OPEN_SYSCALL,
    };
    const struct tally *unknown = sites_tally(k, SITES_OPEN + SUMMARY_OPEN_UNKNOWN);
    const struct tally *older = sites_tally(k, SITES_UNKNOWN);

    if (open[profile] == 0)
        return;
    add_tally(&e->open, sites_tally(k, open[profile]));
    if (unknown->count + older->count == 0 || sites_unknown(s, e->stack) != profile)
        return;
    add_tally(&e->open, unknown);
    add_tally(&e->older, older);
}

static void place(const struct sites *s, const struct wish *wish, struct entry *e)
{
    struct sites_where where = sites_where(s, e->stack, wish->column);

    if (where.at != IDMAP_NONE)
        e->at = s->frames[where.at];
    else
        e->at.func = e->stack >= SITES_OTHER && e->stack < SITES_FIRST ? TEXTS_OTHER : TEXTS_EMPTY;
    if (where.own != IDMAP_NONE)
        e->own = s->frames[where.own];
    e->call = where.call != IDMAP_NONE ? s->frames[where.call].func : TEXTS_EMPTY;
    if (!wish->by_own)
        return;
    if (where.own != IDMAP_NONE)
        e->at = e->own;
    e->call = TEXTS_EMPTY;
    e->class = STACK_OTHER;
}

/* The columns that decide whether a stack may have an entry in the table, as bits. */
static uint32_t columns_of(const struct wish *wish)
{
    uint32_t ret = UINT32_C(1) << wish->column;

    if (!wish->whole)
        return ret;
    ret |= UINT32_C(1) << SITES_UNKNOWN; /* what add_others may add */
    for (unsigned i = 0; i < SUMMARY_N_OPEN; i++)
        ret |= UINT32_C(1) << (SITES_OPEN + i);
    return ret;
}

/* Whether the stack may have an entry in the table. */
static bool is_wished(const struct sites *s, const struct wish *wish, uint32_t columns,
                      uint32_t stack)
{
    return sites_filled(s, stack, columns) && (!wish->picked || wish->picked[stack]) &&
           (wish->classes & STACK_SET(s->stacks[stack].class)) != 0;
}

static size_t count_wished(const struct sites *s, const struct wish *wish)
{
    uint32_t columns = columns_of(wish);
    size_t n = 0;

    for (uint32_t i = 0; i < s->n_stacks; i++)
        n += is_wished(s, wish, columns, i);
    return n;
}

/* The stack's entry; there is none if its times are 0. */
static bool make_entry(const struct sites *s, const struct wish *wish, uint32_t stack,
                       struct entry *ret)
{
    const struct sites_stack *k = &s->stacks[stack];

    *ret = (struct entry){
        .stack = stack,
        .n_stacks = 1,
        .ended = *sites_tally(k, wish->column),
        .class = k->class,
        .standing = standing_in(wish->column) & STACK_SET(k->class),
        .by_site = wish->by_site,
    };
    if (wish->whole)
        add_others(s, wish->column, ret);
    if (times(ret) == 0)
        return false;
    ret->top_total = ret->ended.total;
    ret->top_weight = weight(ret);
    place(s, wish, ret);
    return true;
}

/* Adds a stack's entry to that of its site. Stacks come in their order. */
static void merge(struct entry *to, const struct entry *e)
{
    if (e->top_weight > to->top_weight) {
        to->top_weight = e->top_weight;
        to->top_total = e->top_total;
        to->stack = e->stack;
        to->own = e->own;
        to->call = e->call;
    }
    add_tally(&to->ended, &e->ended);
    add_tally(&to->open, &e->open);
    add_tally(&to->older, &e->older);
    to->n_stacks++;
}

/* Fills the list with an entry for each site. */
static int collect(const struct sites *s, const struct wish *wish, struct entry *list,
                   uint32_t *ret_n)
{
    uint32_t columns = columns_of(wish), n = 0;
    struct idmap places;
    int r = 0;

    idmap_init(&places, s->mem, s->seed);
    for (uint32_t i = 0; r == 0 && i < s->n_stacks; i++) {
        uint32_t known;
        uint64_t place;

        if (!is_wished(s, wish, columns, i) || !make_entry(s, wish, i, &list[n]))
            continue;
        place = place_of(s, &list[n]);
        known = idmap_find(&places, place);
        if (known != IDMAP_NONE)
            merge(&list[known], &list[n]);
        else
            r = idmap_add(&places, place, n++);
    }
    idmap_done(&places);
    *ret_n = n;
    return r;
}

static struct summary_tally tally_of(const struct tally *t)
{
    return (struct summary_tally){t->count, t->total, t->max};
}

static int fill(struct sites *s, const struct entry *e, struct summary_site *ret)
{
    const struct sites_stack *k = &s->stacks[e->stack];
    struct summary_frame *frames;
    int r = arena_new(&s->texts->arena, k->n * sizeof(*frames), &frames);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < k->n; i++)
        frames[i] = sites_frame_text(s, s->rows[k->row + i]);
    *ret = (struct summary_site){
        .at = sites_text(s, &e->at),
        .own = {sites_text(s, &e->own), texts_get(s->texts, e->call)},
        .class = e->class,
        .count = e->ended.count,
        .total = e->ended.total,
        .max = e->ended.max,
        .open = tally_of(&e->open),
        .older = tally_of(&e->older),
        .n_stacks = e->n_stacks,
        .top = frames,
        .n_top = k->n,
        .top_total = e->top_total,
    };
    return 0;
}

static void sum_up(const struct entry *list, size_t n, struct summary_sites *ret)
{
    struct tally open = {0}, older = {0};

    for (size_t i = 0; i < n; i++) {
        ret->count += list[i].ended.count;
        ret->total += list[i].ended.total;
        add_tally(&open, &list[i].open);
        add_tally(&older, &list[i].older);
        if (!list[i].standing)
            continue;
        ret->standing.count += times(&list[i]);
        ret->standing.total += weight(&list[i]);
        ret->standing_open += list[i].open.count;
    }
    ret->open = tally_of(&open);
    ret->older = tally_of(&older);
}

/* Keeps the first SUMMARY_SITES entries, and of the standing ones SUMMARY_STANDING, and sums up the
 * others. An entry without a name, as there was no room for it, is no site: only its count and
 * total are summed up. */
static size_t leave_out(struct entry *list, size_t n, struct summary_sites *ret)
{
    size_t kept = 0, standing = 0;

    for (size_t i = 0; i < n; i++) {
        const struct entry *e = &list[i];
        size_t others = kept - standing;
        bool room = e->standing ? standing < SUMMARY_STANDING : others < SUMMARY_SITES;

        if (e->at.func != TEXTS_OTHER && room) {
            standing += e->standing;
            list[kept++] = *e;
            continue;
        }
        ret->left_out += e->at.func != TEXTS_OTHER;
        ret->standing_left_out += e->standing && e->at.func != TEXTS_OTHER;
        ret->left_out_count += e->ended.count;
        ret->left_out_total += e->ended.total;
    }
    return kept;
}

static int rank(struct sites *s, const struct wish *wish, struct summary_sites *ret)
{
    struct entry *list;
    size_t room = count_wished(s, wish) + 1, n; /* not 0 */
    uint32_t n_sites;
    int r = memory_new(s->mem, room * sizeof(*list), &list);

    memset(ret, 0, sizeof(*ret));
    if (r < 0)
        return r;
    r = collect(s, wish, list, &n_sites);
    if (r == 0 && n_sites > 1)
        qsort(list, n_sites, sizeof(*list), by_weight);
    n = r == 0 ? n_sites : 0;
    sum_up(list, n, ret);
    n = leave_out(list, n, ret);
    if (r == 0)
        r = arena_new(&s->texts->arena, n * sizeof(*ret->list), &ret->list);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = fill(s, &list[i], &ret->list[i]);
    ret->n = r == 0 ? n : 0;
    memory_free(s->mem, list, room * sizeof(*list));
    return r;
}

int ranking_of(struct sites *s, unsigned column, struct summary_sites *ret)
{
    return rank(s, &(struct wish){.column = column, .classes = STACK_ALL}, ret);
}

int ranking_of_own(struct sites *s, unsigned column, struct summary_sites *ret)
{
    return rank(s, &(struct wish){.column = column, .classes = STACK_ALL, .by_own = true}, ret);
}

int ranking_of_picked(struct sites *s, unsigned column, const bool *picked,
                      struct summary_sites *ret)
{
    return rank(s, &(struct wish){.column = column, .classes = STACK_ALL, .picked = picked}, ret);
}

int ranking_of_profile(struct sites *s, enum summary_profile profile, unsigned classes,
                       struct summary_sites *ret)
{
    const struct wish wish = {
        .column = profile,
        .classes = classes,
        .whole = true,
        .by_site = profile == SUMMARY_CPU,
    };

    return rank(s, &wish, ret);
}
