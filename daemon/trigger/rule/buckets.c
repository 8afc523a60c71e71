/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/buckets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RANGE_SIGN "..."

struct buckets *buckets_new(double bound)
{
    struct buckets *b = calloc(1, sizeof(*b) + BUCKETS_MAX * sizeof(b->of[0]));

    if (b)
        b->bound = bound;
    return b;
}

size_t buckets_size(const struct buckets *b)
{
    return sizeof(*b) + b->n * sizeof(b->of[0]);
}

struct buckets *buckets_keep(const struct buckets *b)
{
    struct buckets *kept = malloc(buckets_size(b));

    if (kept)
        memcpy(kept, b, buckets_size(b));
    return kept;
}

static bool same(double a, double b)
{
    return a <= b && a >= b;
}

/* The first bucket whose edge is at or above `edge`. */
static size_t position(const struct buckets *b, double edge)
{
    size_t low = 0, high = b->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (b->of[middle].edge < edge)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void merge(struct bucket *into, const struct bucket *other)
{
    into->count += other->count;
    if (other->from < into->from)
        into->from = other->from;
    if (other->edge > into->edge)
        into->edge = other->edge;
}

static void take_out(struct buckets *b, size_t i)
{
    memmove(&b->of[i], &b->of[i + 1], (b->n - i - 1) * sizeof(b->of[0]));
    b->n--;
}

/* The table is full and an edge comes: one of the two ends gives way, on the side that has more
 * edges. The newcomer is that one if it lies farther out. Of ranges, the count stays with their
 * neighbour; of cumulative buckets it is in those above. True: there is room. */
static bool make_room(struct buckets *b, const struct bucket *new)
{
    bool low = position(b, b->bound) > b->n / 2, infinite = !isfinite(b->of[b->n - 1].edge);
    size_t end = low ? 0 : b->n - 1 - infinite, next = low ? 1 : end - 1;

    if (isfinite(new->edge) && (low ? new->edge < b->of[end].edge : new->edge > b->of[end].edge)) {
        if (b->ranges)
            merge(&b->of[end], new);
        return false;
    }
    if (b->ranges)
        merge(&b->of[next], &b->of[end]);
    take_out(b, end);
    return true;
}

static void add(struct buckets *b, struct bucket new)
{
    size_t i = position(b, new.edge);

    if (i < b->n && same(b->of[i].edge, new.edge)) {
        merge(&b->of[i], &new);
        b->of[i].series++;
        return;
    }
    if (b->n == BUCKETS_MAX && !make_room(b, &new))
        return;
    i = position(b, new.edge);
    memmove(&b->of[i + 1], &b->of[i], (b->n - i) * sizeof(b->of[0]));
    b->of[i] = new;
    b->n++;
}

/* A count that can be added: others spoil the read, whatever else is in it. */
static bool is_count(struct buckets *b, double count)
{
    if (isfinite(count) && count >= 0)
        return true;
    b->bad = true;
    return false;
}

/* A number that is the whole text, up to `n` bytes of it. */
static bool parse_edge(const char *text, size_t n, double *ret)
{
    char *end;

    if (n == 0 || n > 60 || strchr(" \t\n", *text))
        return false;
    *ret = strtod(text, &end);
    return end == text + n && !isnan(*ret);
}

bool buckets_add_le(struct buckets *b, const char *le, double count)
{
    struct bucket new = {.count = count, .series = 1};

    if (!parse_edge(le, strlen(le), &new.edge))
        return false;
    b->mixed = b->mixed || (b->ranges && b->n > 0);
    if (is_count(b, count) && !b->mixed)
        add(b, new);
    return true;
}

/* VictoriaMetrics/metrics, histogram.go: "1.136e+00...1.292e+00". strtod takes the dots of the sign
 * for a part of the number if it may: so its end is found first. */
bool buckets_add_range(struct buckets *b, const char *vmrange, double count)
{
    const char *sign = strstr(vmrange, RANGE_SIGN), *to = sign ? sign + strlen(RANGE_SIGN) : NULL;
    struct bucket new = {.count = count, .series = 1};
    char from[64];

    if (!sign || (size_t)(sign - vmrange) >= sizeof(from))
        return false;
    memcpy(from, vmrange, (size_t)(sign - vmrange));
    from[sign - vmrange] = '\0';
    if (!parse_edge(from, strlen(from), &new.from) || !parse_edge(to, strlen(to), &new.edge) ||
        !(new.from < new.edge))
        return false;
    b->mixed = b->mixed || (!b->ranges && b->n > 0);
    b->ranges = true;
    if (is_count(b, count) && !b->mixed)
        add(b, new);
    return true;
}

void buckets_add_total(struct buckets *b, double count)
{
    if (!is_count(b, count))
        return;
    b->total += count;
    b->n_totals++;
}

/* What one read says: how many of all were counted, and how many of these up to the edge. */
struct cut {
    double edge, total, below;
    unsigned series;
};

static enum buckets_end cut_ranges(const struct buckets *b, struct cut *ret)
{
    *ret = (struct cut){.edge = b->bound};
    for (size_t i = 0; i < b->n; i++) {
        if (b->of[i].from < b->bound && b->of[i].edge > b->bound)
            ret->edge = b->of[i].edge;
    }
    for (size_t i = 0; i < b->n; i++) {
        ret->total += b->of[i].count;
        if (b->of[i].edge <= ret->edge)
            ret->below += b->of[i].count;
    }
    return isfinite(ret->edge) ? BUCKETS_SHARE : BUCKETS_NO_EDGE;
}

/* Only edges that all series have are of use: a sum over some of them says nothing of the others. */
static enum buckets_end cut_cumulative(const struct buckets *b, struct cut *ret)
{
    const struct bucket *last = &b->of[b->n - 1];
    unsigned series = 0;
    double most = 0;
    bool found = false;

    for (size_t i = 0; i < b->n; i++)
        series = b->of[i].series > series ? b->of[i].series : series;
    for (size_t i = 0; i < b->n && !found; i++) {
        if (b->of[i].series < series || !isfinite(b->of[i].edge))
            continue;
        /* Counts must not fall from edge to edge, but a scrape may see them while they change. */
        most = b->of[i].count > most ? b->of[i].count : most;
        found = b->of[i].edge >= b->bound;
        *ret = (struct cut){.edge = b->of[i].edge, .below = most, .series = series};
    }
    if (!found)
        return BUCKETS_NO_EDGE;
    if (!isfinite(last->edge) && last->series == series)
        ret->total = last->count;
    else if (b->n_totals >= series)
        ret->total = b->total;
    else
        return BUCKETS_NO_TOTAL;
    ret->total = ret->total > most ? ret->total : most;
    return BUCKETS_SHARE;
}

static enum buckets_end cut(const struct buckets *b, struct cut *ret)
{
    if (b->bad || b->mixed)
        return BUCKETS_BAD;
    if (b->n == 0)
        return BUCKETS_ABSENT;
    return b->ranges ? cut_ranges(b, ret) : cut_cumulative(b, ret);
}

bool buckets_edge(const struct buckets *b, double *ret)
{
    struct cut c;
    enum buckets_end end = cut(b, &c);

    if (end != BUCKETS_SHARE && end != BUCKETS_NO_TOTAL)
        return false;
    *ret = c.edge;
    return true;
}

/* Whether any count that both reads have is smaller now. Ranges that were merged are not the same
 * in both. */
static bool fell(const struct buckets *before, const struct buckets *now)
{
    size_t j = 0;

    if (now->ranges && (before->n == BUCKETS_MAX || now->n == BUCKETS_MAX))
        return false;
    for (size_t i = 0; i < before->n; i++) {
        const struct bucket *old = &before->of[i];

        while (j < now->n && now->of[j].edge < old->edge)
            j++;
        if (j < now->n && same(now->of[j].edge, old->edge) && now->of[j].series >= old->series &&
            now->of[j].count < old->count)
            return true;
        if (now->ranges && old->count > 0 && (j == now->n || !same(now->of[j].edge, old->edge)))
            return true;
    }
    return false;
}

enum buckets_end buckets_share(const struct buckets *before, const struct buckets *now,
                               double min_count, struct buckets_share *ret)
{
    struct cut from, to;
    enum buckets_end end = cut(now, &to);
    double count, above;

    if (end != BUCKETS_SHARE)
        return end;
    end = cut(before, &from);
    /* A range that holds the bound appears with its first observation. */
    if (end != BUCKETS_SHARE && !(now->ranges && end == BUCKETS_ABSENT))
        return BUCKETS_CHANGED;
    if (end == BUCKETS_ABSENT)
        from = (struct cut){.edge = to.edge};
    if (before->n > 0 && before->ranges != now->ranges)
        return BUCKETS_CHANGED;
    if (!same(from.edge, to.edge) && !now->ranges)
        return BUCKETS_CHANGED;
    if (to.total < from.total || to.series < from.series || fell(before, now))
        return BUCKETS_RESET;
    count = to.total - from.total;
    above = count - (to.below - from.below);
    above = above < 0 ? 0 : above > count ? count : above;
    *ret = (struct buckets_share){to.edge, above, count, count > 0 ? above / count : 0};
    return count < min_count || count <= 0 ? BUCKETS_FEW : BUCKETS_SHARE;
}

const char *buckets_end_text(enum buckets_end end)
{
    static const char *const texts[] = {
        [BUCKETS_SHARE] = "",
        [BUCKETS_FEW] = "fewer than min_count observations since the last read",
        [BUCKETS_RESET] = "counts fell: the service began anew, or a series went",
        [BUCKETS_CHANGED] = "its buckets changed",
        [BUCKETS_NO_EDGE] = "no bucket's edge is at or above the bound",
        [BUCKETS_NO_TOTAL] = "it has neither an +Inf bucket nor a _count",
        [BUCKETS_ABSENT] = "it has no buckets",
        [BUCKETS_BAD] = "its counts are no counts",
    };

    return texts[end];
}
