/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/timeline/bins.h"

#include <errno.h>

void bins_init(struct bins *b, struct memory *mem, int64_t start, int64_t end, int64_t step,
               bool grows)
{
    *b = (struct bins){.mem = mem, .start = start, .end = end, .step = step, .grows = grows};
}

void bins_done(struct bins *b)
{
    memory_free(b->mem, b->list, b->cap * sizeof(*b->list));
}

/* No sum of a program's comes near the bounds; a trace may contain anything. */
static void plus(int64_t *sum, int64_t ns, int64_t n)
{
    int64_t product;

    if (__builtin_mul_overflow(ns, n, &product) || __builtin_add_overflow(*sum, product, sum))
        *sum = INT64_MAX;
}

/* Makes `whole` a part of `ns`. */
static void settle(struct bins *b)
{
    int64_t level[BINS_N_SHARES] = {0};

    for (size_t i = 0; i < b->n; i++) {
        struct bin *bin = &b->list[i];

        for (unsigned k = 0; k < BINS_N_SHARES; k++) {
            level[k] += bin->whole[k];
            bin->whole[k] = 0;
            plus(&bin->ns[k], b->step, level[k]);
        }
    }
}

static void merge(struct bin *to, const struct bin *from)
{
    for (unsigned k = 0; k < BINS_N_SHARES; k++)
        plus(&to->ns[k], from->ns[k], 1);
    for (unsigned k = 0; k < BINS_N_LEVELS; k++) {
        if (!(from->told & 1u << k))
            continue;
        if (!(to->told & 1u << k) || from->most[k] > to->most[k])
            to->most[k] = from->most[k];
        to->last[k] = from->last[k];
    }
    to->told |= from->told;
}

/* Each bin is as long as several were. */
static void widen(struct bins *b)
{
    unsigned factor = 5;
    int64_t unit = b->step;
    size_t n = 0;

    settle(b);
    while (unit % 10 == 0)
        unit /= 10;
    if (unit % 5 == 0)
        factor = 2;
    for (size_t i = 0; i < b->n; i++) {
        if (i % factor == 0)
            b->list[n++] = b->list[i];
        else
            merge(&b->list[n - 1], &b->list[i]);
    }
    b->n = n;
    b->step *= factor;
}

/* Which bin a time that is not before the start is in; there are bins up to that one then. */
static int reach(struct bins *b, int64_t time, size_t *ret)
{
    uint64_t i;

    for (;;) {
        i = ((uint64_t)time - (uint64_t)b->start) / (uint64_t)b->step;
        if (i < BINS_MAX)
            break;
        if (!b->grows || b->step > INT64_MAX / 10)
            return -E2BIG;
        widen(b);
    }
    if (i >= b->n) {
        int r = memory_grow(b->mem, &b->list, &b->cap, (size_t)i + 1, sizeof(*b->list));

        if (r < 0)
            return r;
        while (b->n <= i)
            b->list[b->n++] = (struct bin){0};
    }
    *ret = (size_t)i;
    return 0;
}

int bins_add(struct bins *b, enum bins_share share, int64_t from, int64_t to, int32_t n)
{
    int64_t begun; /* of the first bin before that */
    size_t first, last;
    int r;

    from = from < b->start ? b->start : from;
    to = to > b->end ? b->end : to;
    if (from >= to)
        return 0;
    r = reach(b, to, &last);
    if (r == 0)
        r = reach(b, from, &first);
    if (r < 0)
        return r;
    begun = from - (b->start + (int64_t)first * b->step);
    plus(&b->list[first].ns[share], begun, -(int64_t)n);
    plus(&b->list[last].ns[share], to - (b->start + (int64_t)last * b->step), n);
    b->list[first].whole[share] += n;
    b->list[last].whole[share] -= n;
    return 0;
}

int bins_set(struct bins *b, enum bins_level level, int64_t time, int64_t value)
{
    struct bin *bin;
    size_t i;
    int r;

    if (time >= b->end)
        return 0;
    r = reach(b, time < b->start ? b->start : time, &i);
    if (r < 0)
        return r;
    bin = &b->list[i];
    if (time < b->start || !(bin->told & 1u << level) || value > bin->most[level])
        bin->most[level] = value;
    bin->told |= 1u << level;
    bin->last[level] = value;
    return 0;
}

/* What no bin tells of a level is as in the one before. */
static void carry(struct bins *b)
{
    struct bin before = {0};

    for (size_t i = 0; i < b->n; i++) {
        struct bin *bin = &b->list[i];

        for (unsigned k = 0; k < BINS_N_LEVELS; k++) {
            bool told = bin->told & 1u << k, known = before.told & 1u << k;

            if (!told)
                bin->last[k] = before.last[k];
            if (known && (!told || before.last[k] > bin->most[k]))
                bin->most[k] = before.last[k];
        }
        bin->told |= before.told;
        before = *bin;
    }
}

int bins_finish(struct bins *b, int64_t end)
{
    size_t i;
    int r = end > b->start ? reach(b, (end < b->end ? end : b->end) - 1, &i) : 0;

    if (r < 0)
        return r;
    settle(b);
    carry(b);
    while (b->n > 0 && end > b->start && b->n > i + 1)
        b->n--; /* one that begins where all ends */
    for (i = 0; i < b->n; i++)
        for (unsigned k = 0; k < BINS_N_SHARES; k++)
            if (b->list[i].ns[k] < 0)
                b->list[i].ns[k] = 0;
    return 0;
}

struct bin bins_sum(const struct bins *b, size_t i, size_t n)
{
    struct bin sum = {0};

    for (; n > 0 && i < b->n; i++, n--)
        merge(&sum, &b->list[i]);
    return sum;
}
