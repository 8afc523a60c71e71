/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Stretches of goroutines' time: which part of what a goroutine did counts. First they are added in
 * any order, then sealed, then asked. As in cmd/trace's pprof.go, of those of a goroutine that
 * overlap only the one that begins first counts, and of those that begin together the shortest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"

struct span {
    int64_t g;
    int64_t start, end; /* nanoseconds as in the trace */
};

struct spans {
    struct memory *mem;
    struct span *list;
    size_t n, cap;
    struct idmap first; /* by goroutine: its first in the list, after spans_seal */
};

/* From `start` to `end`, which is later; and the sum of two such lengths. Both are INT64_MAX rather
 * than overflow. */
static inline int64_t spans_length(int64_t start, int64_t end)
{
    int64_t ns;

    return __builtin_sub_overflow(end, start, &ns) ? INT64_MAX : ns;
}

static inline int64_t spans_sum(int64_t a, int64_t b)
{
    int64_t ns;

    return __builtin_add_overflow(a, b, &ns) ? INT64_MAX : ns;
}

void spans_init(struct spans *s, struct memory *mem, uint64_t seed);
void spans_done(struct spans *s);

/* Both: 0 or an error of memory.h. */
int spans_add(struct spans *s, int64_t g, int64_t start, int64_t end);
int spans_seal(struct spans *s);

/* Whether the goroutine has spans, and how much of [start, end) they cover. */
bool spans_cover(const struct spans *s, int64_t g, int64_t start, int64_t end, int64_t *ret_ns);
