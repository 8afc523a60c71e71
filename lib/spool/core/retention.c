/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/retention.h"

#include <errno.h>
#include <stdlib.h>

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

static bool too_old(const struct retention_item *item, usec now, usec max_age)
{
    return now > item->time && now - item->time > max_age;
}

/* True if the item is in that directory and may be deleted. */
static bool eligible(const struct retention_item *item, bool pending)
{
    return item->pending == pending && !item->busy && !item->failed;
}

int retention_plan(const struct retention_facts *f, const struct retention_limits *l,
                   struct retention_plan *ret)
{
    struct retention_plan p = {0};
    size_t cap = 0, i = 0;
    struct balance b;

    balance_init(&b, f, l);

    /* Traces that were not uploaded are never deleted for their age: during an outage of the store
     * they are needed. */
    for (; l->max_age > 0 && i < f->n && too_old(&f->items[i], f->now, l->max_age); i++) {
        if (!eligible(&f->items[i], false))
            continue;
        if (plan_add(&p, &cap, i, RETENTION_AGE) < 0)
            goto fail;
        balance_delete(&b, &f->items[i]);
    }

    /* Each walk ends as soon as the bounds hold, so it looks only at items that it deletes or must
     * skip. */
    for (int pending = 0; pending <= 1; pending++, i = 0) {
        for (; i < f->n && balance_lacks(&b) != RETENTION_CAUSES; i++) {
            if (!eligible(&f->items[i], pending))
                continue;
            if (plan_add(&p, &cap, i, balance_lacks(&b)) < 0)
                goto fail;
            balance_delete(&b, &f->items[i]);
        }
    }

    p.lacking = balance_lacks(&b);
    p.enough = p.lacking == RETENTION_CAUSES;
    *ret = p;
    return 0;

fail:
    retention_plan_done(&p);
    return -ENOMEM;
}

void retention_plan_done(struct retention_plan *p)
{
    free(p->choices);
    *p = (struct retention_plan){0};
}
