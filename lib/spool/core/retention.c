/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/retention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_INODES 2 /* a trace and its record */

const char *retention_cause_name(enum retention_cause cause)
{
    static const char *const names[RETENTION_CAUSES] = {
        [RETENTION_AGE] = "max_age",
        [RETENTION_FILES] = "max_files",
        [RETENTION_BYTES] = "max_bytes",
        [RETENTION_FREE_SPACE] = "min_free",
    };

    return (unsigned)cause < RETENTION_CAUSES ? names[cause] : "unknown";
}

/* What is left after the deletions planned so far. Sums saturate: a request too large for a number
 * is too large for any bound. */
struct balance {
    const struct retention_limits *limits;
    uint64_t bytes, files;               /* sums of what is kept and what is wanted */
    uint64_t free_bytes, needed_bytes;   /* of the file system */
    uint64_t free_inodes, needed_inodes; /* needed is 0 if the file system does not count inodes */
};

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t subtract(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t share(double fraction, uint64_t total)
{
    double value = fraction * (double)total;

    return value <= 0 ? 0 : value >= (double)total ? total : (uint64_t)value;
}

static void balance_init(struct balance *b, const struct retention_facts *f,
                         const struct retention_limits *l)
{
    *b = (struct balance){
        .limits = l,
        .bytes = add(f->kept_bytes, f->wanted_bytes),
        .files = add(f->kept_files, f->wanted_files),
        .free_bytes = f->free_bytes,
        .needed_bytes = add(share(l->min_free, f->total_bytes), f->unwritten_bytes),
        .free_inodes = f->free_inodes,
    };
    if (f->total_inodes > 0)
        b->needed_inodes = add(share(l->min_free, f->total_inodes), f->unwritten_inodes);
}

/* The first bound that does not hold; RETENTION_CAUSES if all do. */
static enum retention_cause balance_lacks(const struct balance *b)
{
    if (b->files > b->limits->max_files)
        return RETENTION_FILES;
    if (b->bytes > b->limits->max_bytes)
        return RETENTION_BYTES;
    if (b->free_bytes < b->needed_bytes || b->free_inodes < b->needed_inodes)
        return RETENTION_FREE_SPACE;
    return RETENTION_CAUSES;
}

static void balance_delete(struct balance *b, const struct retention_item *item)
{
    b->bytes = subtract(b->bytes, item->bytes);
    b->files = subtract(b->files, 1);
    b->free_bytes = add(b->free_bytes, item->bytes);
    b->free_inodes = add(b->free_inodes, ITEM_INODES);
}

static int plan_add(struct retention_plan *p, size_t *cap, size_t index, enum retention_cause cause)
{
    if (p->n == *cap) {
        size_t more = *cap ? 2 * *cap : 16;
        struct retention_choice *grown = reallocarray(p->choices, more, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        p->choices = grown;
        *cap = more;
    }
    p->choices[p->n++] = (struct retention_choice){.index = index, .cause = cause};
    return 0;
}

#define INCIDENT_SPAN (USEC_PER_DAY / 2)

uint16_t retention_incident(usec time, usec begin)
{
    if (begin == 0 || begin > time || time - begin > INCIDENT_SPAN)
        return 0;
    return (uint16_t)(1 + (time - begin) / USEC_PER_SEC);
}

/* Real time until which an item is kept as a part of its incident; 0: it has none. */
static usec incident_end(const struct retention_item *item, const struct retention_limits *l)
{
    if (item->incident == 0 || l->keep_incidents == 0)
        return 0;
    return item->time - (usec)(item->incident - 1) * USEC_PER_SEC + l->keep_incidents;
}

usec retention_end(const struct retention_item *item, const struct retention_limits *l)
{
    usec end = item->time + l->max_age, incident = incident_end(item, l);
    bool record_matters = l->keep_worst > 0 || l->keep_incidents > l->max_age;

    if (l->max_age == 0 || item->worst || (record_matters && !item->annotated))
        return USEC_NEVER;
    return incident > end ? incident : end;
}

/* An item that may be one of the worst. */
struct candidate {
    const char *service; /* the beginning of its key */
    size_t len;
    const struct retention_item *item;
    size_t index;
};

static int compare_groups(const struct candidate *a, const struct candidate *b)
{
    if (a->item->label != b->item->label)
        return a->item->label < b->item->label ? -1 : 1;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->service, b->service, a->len);
}

/* By group; in each group the worst first. */
static int compare_candidates(const void *pa, const void *pb)
{
    const struct candidate *a = pa, *b = pb;
    int r = compare_groups(a, b);

    if (r != 0)
        return r;
    if (a->item->severity > b->item->severity || a->item->severity < b->item->severity)
        return a->item->severity > b->item->severity ? -1 : 1;
    return a->index > b->index ? -1 : 1;
}

static size_t candidates_of(const struct retention_item *items, const char *const *keys, size_t n,
                            struct candidate *ret)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++) {
        if (items[i].severity > 0)
            ret[found++] = (struct candidate){keys[i], strcspn(keys[i], "/"), &items[i], i};
    }
    return found;
}

int retention_rank(struct retention_item *items, const char *const *keys, size_t n, unsigned keep)
{
    struct candidate *all = calloc(n + 1, sizeof(*all));
    size_t found, rank = 0;

    if (!all)
        return -ENOMEM;
    found = candidates_of(items, keys, n, all);
    qsort(all, found, sizeof(*all), compare_candidates);
    for (size_t i = 0; i < n; i++)
        items[i].worst = false;
    for (size_t i = 0; i < found; i++) {
        rank = i > 0 && compare_groups(&all[i - 1], &all[i]) == 0 ? rank + 1 : 0;
        items[all[i].index].worst = rank < keep;
    }
    free(all);
    return 0;
}

/* The order in which bounds take items. */
enum turn { TURN_ORDINARY, TURN_VALUED, TURN_PENDING, TURNS };

static bool valued(const struct retention_item *item, const struct retention_facts *f,
                   const struct retention_limits *l)
{
    return item->worst || f->now < incident_end(item, l);
}

/* The place of the oldest item whose value counts: from there on, those that have any take at most
 * half of the bounds. */
static size_t value_begins(const struct retention_facts *f, const struct retention_limits *l)
{
    uint64_t bytes = 0, files = 0;
    size_t i = f->n;

    for (; i > 0; i--) {
        const struct retention_item *item = &f->items[i - 1];

        if (item->pending || !valued(item, f, l))
            continue;
        bytes = add(bytes, item->bytes);
        if (bytes > l->max_bytes / 2 || ++files > l->max_files / 2)
            break;
    }
    return i;
}

/* True if nothing forbids to delete the item. */
static bool free_to_go(const struct retention_item *item)
{
    return !item->busy && !item->failed;
}

struct planner {
    const struct retention_facts *facts;
    const struct retention_limits *limits;
    struct retention_plan plan;
    size_t cap;
    struct balance balance;
    bool weighed;
    size_t value_from; /* see value_begins; not known before it was weighed */
};

static int choose(struct planner *p, size_t i, enum retention_cause cause)
{
    int r = plan_add(&p->plan, &p->cap, i, cause);

    if (r == 0)
        balance_delete(&p->balance, &p->facts->items[i]);
    return r;
}

/* Traces that were not uploaded are never deleted for their age: during an outage of the store they
 * are needed. No item comes of age before max_age, so the walk ends at the first that is younger. */
static int plan_age(struct planner *p)
{
    const struct retention_facts *f = p->facts;
    const struct retention_limits *l = p->limits;
    int r = 0;

    for (size_t i = 0; l->max_age > 0 && i < f->n && r == 0; i++) {
        const struct retention_item *item = &f->items[i];

        if (f->now <= item->time || f->now - item->time <= l->max_age)
            break;
        if (!item->pending && free_to_go(item) && f->now > retention_end(item, l))
            r = choose(p, i, RETENTION_AGE);
    }
    return r;
}

/* When the bounds take an item. Whether its value counts is found out at the first that has any, so
 * that a history without such is not walked through. */
static enum turn turn_of(struct planner *p, size_t i)
{
    const struct retention_item *item = &p->facts->items[i];

    if (item->pending)
        return TURN_PENDING;
    if (!valued(item, p->facts, p->limits))
        return TURN_ORDINARY;
    if (!p->weighed)
        p->value_from = value_begins(p->facts, p->limits);
    p->weighed = true;
    return i >= p->value_from ? TURN_VALUED : TURN_ORDINARY;
}

/* Deletes items whose turn it is until the bounds hold. The first n_aged that were chosen go for
 * their age. */
static int plan_turn(struct planner *p, enum turn turn, size_t n_aged)
{
    const struct retention_facts *f = p->facts;
    size_t aged = 0;
    int r = 0;

    for (size_t i = 0; i < f->n && r == 0 && balance_lacks(&p->balance) != RETENTION_CAUSES; i++) {
        if (aged < n_aged && p->plan.choices[aged].index == i)
            aged++;
        else if (free_to_go(&f->items[i]) && turn_of(p, i) == turn)
            r = choose(p, i, balance_lacks(&p->balance));
    }
    return r;
}

int retention_plan(const struct retention_facts *f, const struct retention_limits *l,
                   struct retention_plan *ret)
{
    struct planner p = {.facts = f, .limits = l};
    size_t n_aged;
    int r;

    balance_init(&p.balance, f, l);
    r = plan_age(&p);
    n_aged = p.plan.n;
    for (enum turn turn = 0; turn < TURNS && r == 0; turn++)
        r = plan_turn(&p, turn, n_aged);
    if (r < 0) {
        retention_plan_done(&p.plan);
        return r;
    }
    p.plan.lacking = balance_lacks(&p.balance);
    p.plan.enough = p.plan.lacking == RETENTION_CAUSES;
    *ret = p.plan;
    return 0;
}

void retention_plan_done(struct retention_plan *p)
{
    free(p->choices);
    *p = (struct retention_plan){0};
}
