/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The buckets of one histogram, and the arithmetic of two reads of it: which share of the
 * observations between them lies above a bound. Series of the same histogram are added up. Pure.
 *
 * A bound that is no bucket's edge counts from the next edge above: what lies between the two is
 * not counted as above. A share is therefore never told too large.
 */

#include <stdbool.h>
#include <stddef.h>

#define BUCKETS_MAX 96 /* edges; of more, those farthest from the bound give way */

/* One edge. Of classic buckets, `count` is that of all observations up to the edge; of vmrange,
 * that of those between `from` and the edge. */
struct bucket {
    double from; /* vmrange only */
    double edge;
    double count;
    unsigned series; /* how many series have this edge */
};

struct buckets {
    double bound; /* the edges nearest to it are kept */
    bool ranges;  /* vmrange: not cumulative */
    bool mixed;   /* both kinds came */
    bool bad;     /* a count was NaN, infinite or negative */
    double total; /* the sum of the series' counts (`_count`) */
    unsigned n_totals;
    size_t n;
    struct bucket of[]; /* ascending by edge */
};

/* Without any bucket, and room for all. To be released with free(3). NULL when memory is short. */
struct buckets *buckets_new(double bound);

/* A copy that takes only the memory that it needs, and to which nothing may be added. To be
 * released with free(3). NULL when memory is short. */
struct buckets *buckets_keep(const struct buckets *b);

/* The bytes that buckets_keep takes. */
size_t buckets_size(const struct buckets *b);

/* Adds a sample of `_bucket` with a label `le` or `vmrange`, and of `_count`. False for a label that
 * is no number or no range; then nothing is added. */
bool buckets_add_le(struct buckets *b, const char *le, double count);
bool buckets_add_range(struct buckets *b, const char *vmrange, double count);
void buckets_add_total(struct buckets *b, double count);

enum buckets_end {
    BUCKETS_SHARE,    /* there is a share */
    BUCKETS_FEW,      /* fewer than `min_count` observations since the last read */
    BUCKETS_RESET,    /* a count fell: the service began anew, or a series went */
    BUCKETS_CHANGED,  /* other edges than before */
    BUCKETS_NO_EDGE,  /* no finite edge at or above the bound: nothing can be told to be above */
    BUCKETS_NO_TOTAL, /* neither +Inf nor `_count` tells how many there are */
    BUCKETS_ABSENT,   /* no buckets */
    BUCKETS_BAD,      /* NaN, infinite or negative counts, or both kinds of bucket */
};

struct buckets_share {
    double edge;  /* above which was counted: the bound itself, or the next edge */
    double above; /* observations since the last read */
    double count; /* all of them */
    double share; /* above / count; 0 without any */
};

/*
 * What came between the reads `before` and `now`, which have the same bound. *ret is filled in for
 * BUCKETS_SHARE and BUCKETS_FEW.
 */
enum buckets_end buckets_share(const struct buckets *before, const struct buckets *now,
                               double min_count, struct buckets_share *ret);

/* The edge above which buckets_share counts. False: there is none. */
bool buckets_edge(const struct buckets *b, double *ret);

/* "fewer than min_count observations", …: for people. */
const char *buckets_end_text(enum buckets_end end);
