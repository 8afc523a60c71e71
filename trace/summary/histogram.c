/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/histogram.h"

#include <stdlib.h>
#include <string.h>

/* The array of kept values starts with this size and doubles, so that rare types cost little. */
#define FIRST_KEPT 16

/* A histogram with so many values is likely to reach max_kept. */
#define MANY_KEPT (1U << 15)

void histogram_init(struct histogram *h, struct memory *mem, size_t max_kept)
{
    memset(h, 0, sizeof(*h));
    h->mem = mem;
    h->max_kept = max_kept;
}

static void forget_kept(struct histogram *h)
{
    memory_free(h->mem, h->kept, h->kept_cap * sizeof(*h->kept));
    h->kept = NULL;
    h->kept_cap = h->room = 0;
}

static void forget_large(struct histogram *h)
{
    memory_free(h->mem, h->large, h->large_cap * sizeof(*h->large));
    h->large = NULL;
    h->large_cap = 0;
}

void histogram_done(struct histogram *h)
{
    forget_kept(h);
    forget_large(h);
    memory_free(h->mem, h->buckets, HISTOGRAM_BUCKETS * sizeof(*h->buckets));
    h->buckets = NULL;
}

/* Changes to buckets: the kept values are counted there and released. */
static int spill(struct histogram *h)
{
    int r = memory_new(h->mem, HISTOGRAM_BUCKETS * sizeof(*h->buckets), &h->buckets);

    if (r < 0)
        return r;
    for (size_t i = 0; i < h->n_kept; i++)
        h->buckets[histogram_bucket(h->kept[i])]++;
    for (size_t i = 0; i < h->n_large; i++)
        h->buckets[histogram_bucket(h->large[i])]++;
    forget_kept(h);
    forget_large(h);
    h->n_kept = h->n_large = 0;
    return 0;
}

/* Makes room for max_kept values in one step. The kernel gives memory only for what is used. */
static int most_kept(struct histogram *h)
{
    uint32_t *all;
    int r = memory_new_aligned(h->mem, MEMORY_LARGE, h->max_kept * sizeof(*all), &all);

    if (r < 0)
        return r;
    memcpy(all, h->kept, h->n_kept * sizeof(*all));
    forget_kept(h);
    h->kept = all;
    h->kept_cap = h->max_kept;
    return 0;
}

static int more_kept(struct histogram *h)
{
    size_t want = h->kept_cap ? h->kept_cap * 2 : FIRST_KEPT;

    if (h->kept_cap >= MANY_KEPT && h->max_kept * sizeof(*h->kept) % MEMORY_LARGE == 0 &&
        most_kept(h) == 0)
        return 0;
    return memory_grow(h->mem, &h->kept, &h->kept_cap, want, sizeof(*h->kept));
}

/* max_kept is for kept and large values together. */
static void set_room(struct histogram *h)
{
    size_t most = h->max_kept - h->n_large;

    h->room = h->kept_cap < most ? h->kept_cap : most;
}

/* Makes room for a value that is not yet counted, or changes to buckets. */
static int make_room(struct histogram *h, int64_t value)
{
    int r;

    if (h->count >= h->max_kept)
        return spill(h);
    if (value <= UINT32_MAX)
        r = more_kept(h);
    else
        r = memory_grow(h->mem, &h->large, &h->large_cap, h->n_large + 1, sizeof(*h->large));
    return r < 0 ? spill(h) : 0;
}

int histogram_add_slow(struct histogram *h, int64_t value)
{
    int r = make_room(h, value);

    if (r < 0)
        return r;
    if (h->buckets)
        return histogram_add(h, value);
    if (value <= UINT32_MAX) {
        set_room(h);
        return histogram_add(h, value);
    }
    h->large[h->n_large++] = value;
    set_room(h);
    return histogram_count(h, value);
}

int histogram_merge(struct histogram *h, const struct histogram *from)
{
    int r = from->buckets && !h->buckets ? spill(h) : 0;

    for (size_t i = 0; r == 0 && i < from->n_kept; i++)
        r = histogram_add(h, from->kept[i]);
    for (size_t i = 0; r == 0 && i < from->n_large; i++)
        r = histogram_add(h, from->large[i]);
    if (r < 0 || !from->buckets)
        return r;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        h->buckets[i] += from->buckets[i];
    h->count += from->count;
    h->total += from->total;
    h->max = from->max > h->max ? from->max : h->max;
    return 0;
}

int64_t histogram_middle(size_t bucket)
{
    size_t octave = bucket >> HISTOGRAM_SUB_BITS;
    uint64_t sub = bucket & ((1U << HISTOGRAM_SUB_BITS) - 1);

    if (octave == 0)
        return (int64_t)sub;
    return (int64_t)((((1U << HISTOGRAM_SUB_BITS) + sub) << (octave - 1)) +
                     ((1ULL << (octave - 1)) >> 1));
}

/* Sorts v[lo] to v[hi - 1] so far that v[k] has the value of rank k (from 0) and no larger value
 * stands before it. */
static void select_rank(uint32_t *v, size_t lo, size_t hi, size_t k)
{
    while (hi - lo > 1) {
        uint32_t pivot = v[lo + (hi - lo) / 2];
        size_t less = lo, i = lo, more = hi;

        while (i < more) {
            uint32_t x = v[i];

            if (x < pivot) {
                v[i++] = v[less];
                v[less++] = x;
            } else if (x > pivot) {
                v[i] = v[--more];
                v[more] = x;
            } else {
                i++;
            }
        }
        if (k < less)
            hi = less;
        else if (k >= more)
            lo = more;
        else
            return;
    }
}

static uint64_t rank_of(uint64_t count, unsigned permille)
{
    uint64_t rank = (uint64_t)(((__uint128_t)count * permille + 999) / 1000);

    return rank == 0 ? 1 : rank;
}

static int64_t by_bucket(const struct histogram *h, uint64_t rank)
{
    uint64_t before = 0;
    int64_t value;
    size_t i = 0;

    while (i < HISTOGRAM_BUCKETS - 1 && before + h->buckets[i] < rank)
        before += h->buckets[i++];
    value = histogram_middle(i);
    return value > h->max ? h->max : value;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Values are looked at in rounds of a fixed number, of which compilers make vectors. */
#define ROUND 16

/* Classes of about the same width as the buckets, but found in fewer steps: the exponent and the
 * first bits of the mantissa of half the value as a float. */
#define N_COARSE (31 * 128 + 1)

static inline uint32_t coarse(uint32_t value)
{
    union {
        float number;
        uint32_t bits;
    } f = {(float)(int32_t)(value >> 1 | 1)};

    return (f.bits - 0x3f800000U) >> 16;
}

/* The classes of a round of values. */
static inline void coarse_round(const uint32_t *restrict values, uint32_t *restrict ret)
{
    for (size_t k = 0; k < ROUND; k++)
        ret[k] = coarse(values[k]);
}

/*
 * Reduces many values to those in the coarse classes that contain a wanted rank. These values move
 * to the front and the ranks are changed to ranks among them; all other values are lost. Returns
 * how many are left. These two passes have no branches to mispredict and cost a fraction of a
 * selection among all values.
 */
static size_t gather(struct histogram *h, int64_t *ranks, size_t n)
{
    /* Two tables: with one, increments for equal values would wait for each other. */
    uint32_t in[N_COARSE] = {0}, too[N_COARSE] = {0}, classes[ROUND];
    uint32_t *kept = h->kept;
    size_t n_kept = h->n_kept, i = 0, k = 0, front = 0;
    int64_t before = 0, left_out = 0;

    for (; i + ROUND <= n_kept; i += ROUND) {
        coarse_round(kept + i, classes);
        for (size_t j = 0; j < ROUND; j += 2) {
            in[classes[j]]++;
            too[classes[j + 1]]++;
        }
    }
    for (; i < n_kept; i++)
        in[coarse(kept[i])]++;
    for (size_t b = 0; b < N_COARSE; b++) {
        size_t first = k, count = in[b] + too[b];

        before += (int64_t)count;
        while (k < n && ranks[k] <= before)
            ranks[k++] -= left_out;
        in[b] = k > first; /* from here on: whether a rank lies in the class */
        left_out += k > first ? 0 : (int64_t)count;
    }
    for (i = 0; i + ROUND <= n_kept; i += ROUND) {
        coarse_round(kept + i, classes);
        for (size_t j = 0; j < ROUND; j++) {
            kept[front] = kept[i + j];
            front += in[classes[j]];
        }
    }
    for (; i < n_kept; i++) {
        kept[front] = kept[i];
        front += in[coarse(kept[i])];
    }
    return front;
}

/* Replaces ranks (from 1, at most n_kept, ascending) by the values that have them. */
static void select_kept(struct histogram *h, int64_t *ret, size_t n)
{
    size_t lo = 0, end = h->n_kept < MANY_KEPT ? h->n_kept : gather(h, ret, n);

    for (size_t i = 0; i < n; i++) {
        size_t k = (size_t)ret[i] - 1;

        select_rank(h->kept, lo, end, k);
        lo = k;
        ret[i] = h->kept[k];
    }
}

void histogram_percentiles(struct histogram *h, const unsigned *permille, int64_t *ret, size_t n)
{
    size_t small = 0;

    if (!h->buckets && h->n_large > 1)
        qsort(h->large, h->n_large, sizeof(*h->large), by_value);
    for (size_t i = 0; i < n; i++) {
        uint64_t rank = rank_of(h->count, permille[i]);

        if (h->count == 0)
            ret[i] = 0;
        else if (h->buckets)
            ret[i] = by_bucket(h, rank);
        else if (rank > h->n_kept)
            ret[i] = h->large[rank - h->n_kept - 1];
        else
            ret[small++] = (int64_t)rank;
    }
    select_kept(h, ret, small);
}

/* How many of the kept values are above a limit. */
static uint64_t kept_above(const struct histogram *h, uint32_t limit)
{
    uint64_t n = 0;
    size_t i = 0;

    for (; i + ROUND <= h->n_kept; i += ROUND) {
        uint32_t in_round = 0;

        for (size_t k = 0; k < ROUND; k++)
            in_round += h->kept[i + k] > limit;
        n += in_round;
    }
    for (; i < h->n_kept; i++)
        n += h->kept[i] > limit;
    return n;
}

uint64_t histogram_above(const struct histogram *h, int64_t limit)
{
    uint64_t n = 0;

    for (size_t i = 0; h->buckets && i < HISTOGRAM_BUCKETS; i++)
        n += h->buckets[i] > 0 && histogram_middle(i) > limit ? h->buckets[i] : 0;
    if (!h->buckets && limit <= UINT32_MAX)
        n += kept_above(h, limit > 0 ? (uint32_t)limit : 0);
    for (size_t i = 0; !h->buckets && i < h->n_large; i++)
        n += h->large[i] > limit;
    return n;
}

struct summary_times histogram_times(struct histogram *h)
{
    static const unsigned permille[] = {500, 900, 990, 999};
    int64_t values[4];

    histogram_percentiles(h, permille, values, 4);
    return (struct summary_times){
        .count = h->count,
        .total = h->total,
        .p50 = values[0],
        .p90 = values[1],
        .p99 = values[2],
        .p999 = values[3],
        .max = h->max,
        .exact = !h->buckets,
    };
}
