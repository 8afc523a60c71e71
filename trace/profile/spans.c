/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/profile/spans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void spans_init(struct spans *s, struct memory *mem, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    s->mem = mem;
    idmap_init(&s->first, mem, seed | 1);
}

void spans_done(struct spans *s)
{
    memory_free(s->mem, s->list, s->cap * sizeof(*s->list));
    idmap_done(&s->first);
}

int spans_add(struct spans *s, int64_t g, int64_t start, int64_t end)
{
    int r;

    if (s->n >= IDMAP_NONE)
        return -E2BIG;
    r = memory_grow(s->mem, &s->list, &s->cap, s->n + 1, sizeof(*s->list));
    if (r == 0)
        s->list[s->n++] = (struct span){g, start, end};
    return r;
}

static int compare(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    if (x->g != y->g)
        return x->g < y->g ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

int spans_seal(struct spans *s)
{
    size_t n = 0;

    if (s->n > 1)
        qsort(s->list, s->n, sizeof(*s->list), compare);
    for (size_t i = 0; i < s->n; i++) {
        bool first = n == 0 || s->list[n - 1].g != s->list[i].g;

        if (!first && s->list[i].start < s->list[n - 1].end)
            continue;
        if (first) {
            int r = idmap_add(&s->first, (uint64_t)s->list[i].g, (uint32_t)n);

            if (r < 0)
                return r;
        }
        s->list[n++] = s->list[i];
    }
    s->n = n;
    return 0;
}

/* The goroutine's first span that does not end before `time`; `from` is its first one of all. */
static size_t seek(const struct spans *s, size_t from, int64_t g, int64_t time)
{
    size_t low = from, step = 1, high;

    while (low + step < s->n && s->list[low + step].g == g && s->list[low + step].end < time) {
        low += step;
        step *= 2;
    }
    high = low + step < s->n ? low + step : s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->list[middle].g == g && s->list[middle].end < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool spans_cover(const struct spans *s, int64_t g, int64_t start, int64_t end, int64_t *ret_ns)
{
    uint32_t first = idmap_find(&s->first, (uint64_t)g);

    *ret_ns = 0;
    if (first == IDMAP_NONE)
        return false;
    for (size_t i = seek(s, first, g, start); i < s->n; i++) {
        const struct span *span = &s->list[i];
        int64_t from = span->start > start ? span->start : start;
        int64_t to = span->end < end ? span->end : end;

        if (span->g != g || span->start >= end)
            break;
        if (to > from)
            *ret_ns = spans_sum(*ret_ns, spans_length(from, to));
    }
    return true;
}
