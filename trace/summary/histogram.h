/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Durations and their percentiles. Up to a number, each duration is kept, in four bytes if it is
 * below 4.3 seconds, and the percentiles are exact. Beyond that number durations are counted in
 * buckets, 128 of equal width to each power of two: a percentile is then the middle of its bucket,
 * off by at most 1/256 (0.4 %). Count, total and maximum are always exact.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"
#include "trace/summary/numbers.h"

#define HISTOGRAM_SUB_BITS 7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
    struct memory *mem;
    size_t max_kept;
    uint32_t *kept; /* until there are buckets */
    size_t n_kept;
    size_t kept_cap;
    size_t room;    /* n_kept may grow to this before histogram_add_slow is needed */
    int64_t *large; /* values of more than 32 bits */
    size_t n_large;
    size_t large_cap;
    uint64_t *buckets;
    uint64_t count;
    int64_t total;
    int64_t max;
};

/* Allocates nothing yet. Up to max_kept values are kept; with more, all are counted in buckets. */
void histogram_init(struct histogram *h, struct memory *mem, size_t max_kept);
void histogram_done(struct histogram *h);

/*
 * The part of histogram_add that makes room and keeps large values. Errors of memory.h; the value
 * is not counted then.
 */
int histogram_add_slow(struct histogram *h, int64_t value);

/* Adds the values of another histogram, which stays as it is. Errors of memory.h: then only some of
 * the values were added. */
int histogram_merge(struct histogram *h, const struct histogram *from);

/*
 * Computes nearest-rank percentiles. They are given in thousandths, in ascending order. All are 0
 * if there are no values. Call this once, after all values were added: it destroys the kept values.
 */
void histogram_percentiles(struct histogram *h, const unsigned *permille, int64_t *ret, size_t n);

/* The bucket of a value, and the value in the middle of a bucket. */
static inline size_t histogram_bucket(int64_t value)
{
    uint64_t v = (uint64_t)value;
    unsigned shift;

    if (v < 1U << HISTOGRAM_SUB_BITS)
        return (size_t)v;
    shift = 63U - (unsigned)__builtin_clzll(v) - HISTOGRAM_SUB_BITS;
    return ((size_t)(shift + 1) << HISTOGRAM_SUB_BITS) +
           (size_t)((v >> shift) - (1U << HISTOGRAM_SUB_BITS));
}

int64_t histogram_middle(size_t bucket);

/* How many values are above a limit, before anything was reordered; where there are buckets, by
 * their middles. */
uint64_t histogram_above(const struct histogram *h, int64_t limit);

/* What all values come to. This reorders them, as histogram_percentiles does. */
struct summary_times histogram_times(struct histogram *h);

/* A part of histogram_add. Returns 0. */
static inline int histogram_count(struct histogram *h, int64_t value)
{
    h->count++;
    h->total += value;
    if (value > h->max)
        h->max = value;
    return 0;
}

/* A negative value counts as 0. Errors of memory.h. */
static inline int histogram_add(struct histogram *h, int64_t value)
{
    if (value < 0)
        value = 0;
    if (h->buckets)
        h->buckets[histogram_bucket(value)]++;
    else if (h->n_kept < h->room && value <= UINT32_MAX)
        h->kept[h->n_kept++] = (uint32_t)value;
    else
        return histogram_add_slow(h, value);
    return histogram_count(h, value);
}
