/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/order/budget.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void budget_init(struct budget *b)
{
    *b = (struct budget){0};
}

void budget_done(struct budget *b)
{
    free(b->entries);
    budget_init(b);
}

static bool counts(const struct budget_entry *e, usec now)
{
    return now < e->at + BUDGET_SPAN;
}

/* How long until the entry does not count any more. */
static usec left(const struct budget_entry *e, usec now)
{
    return e->at + BUDGET_SPAN - now;
}

/* How long until fewer than `max` entries count; 0: they are fewer now. `target` NULL: of all. */
static usec wait_for_count(const struct budget *b, unsigned max, const uint64_t *target, usec now)
{
    unsigned n = 0;

    for (size_t i = b->n; i-- > 0 && counts(&b->entries[i], now);) {
        if (target && b->entries[i].target != *target)
            continue;
        if (++n == max)
            return left(&b->entries[i], now);
    }
    return 0;
}

/* How long until the target may be traced for `traced`; 0: it may now. */
static usec wait_for_traced(const struct budget *b, double share, uint64_t target, usec traced,
                            usec now)
{
    usec most = (usec)(share * (double)BUDGET_SPAN), sum = 0;

    for (size_t i = b->n; traced > 0 && i-- > 0 && counts(&b->entries[i], now);) {
        const struct budget_entry *e = &b->entries[i];

        if (e->target != target || e->traced == 0)
            continue;
        sum += e->traced;
        if (sum + traced > most)
            return left(e, now);
    }
    return 0;
}

enum budget_answer budget_ask(const struct budget *b, const struct budget_limits *l,
                              uint64_t target, usec traced, usec now, usec *ret_wait)
{
    usec of_target = wait_for_count(b, l->of_target, &target, now);
    usec of_all = wait_for_count(b, l->incidents, NULL, now);
    usec tracing = wait_for_traced(b, l->traced, target, traced, now);
    usec wait = of_target > of_all ? of_target : of_all;

    *ret_wait = wait > tracing ? wait : tracing;
    return of_target > 0 ? BUDGET_OF_TARGET
         : tracing > 0   ? BUDGET_TRACED
         : of_all > 0    ? BUDGET_OF_ALL
                         : BUDGET_FREE;
}

size_t budget_taken(const struct budget *b, usec now)
{
    size_t n = 0;

    while (n < b->n && counts(&b->entries[b->n - 1 - n], now))
        n++;
    return n;
}

static void drop_old(struct budget *b, usec now)
{
    size_t old = 0;

    while (old < b->n && !counts(&b->entries[old], now))
        old++;
    b->n -= old;
    if (old > 0)
        memmove(b->entries, b->entries + old, b->n * sizeof(*b->entries));
}

int budget_take(struct budget *b, uint64_t target, usec traced, usec now)
{
    struct budget_entry *entries;
    size_t cap;

    drop_old(b, now);
    if (b->n == b->cap) {
        cap = b->cap > 0 ? 2 * b->cap : 16;
        entries = reallocarray(b->entries, cap, sizeof(*entries));
        if (!entries)
            return -ENOMEM;
        b->entries = entries;
        b->cap = cap;
    }
    b->entries[b->n++] = (struct budget_entry){.at = now, .target = target, .traced = traced};
    return 0;
}

void budget_lengthen(struct budget *b, uint64_t target, usec traced)
{
    size_t i = b->n;

    while (i > 0 && b->entries[i - 1].target != target)
        i--;
    if (i > 0)
        b->entries[i - 1].traced += traced;
}
