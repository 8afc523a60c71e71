/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads one generation to its end: parses strings, stacks, clock and CPU samples, and sorts the
 * batches of events by thread without parsing them. As readGeneration in
 * internal/trace/generation.go.
 */

#include "trace/reader/generation_data.h"

void generation_init(struct generation *gen, struct input *in, size_t max_bytes, struct memory *mem,
                     struct fault *fault, uint64_t seed);
void generation_done(struct generation *gen);

/* Drops this generation and reads the next. 1, 0 at the end, or an error as gotrace_next. */
int generation_read(struct generation *gen);

/* As frequency.mul in internal/trace/base.go on amd64: out of range gives the smallest number. */
int64_t generation_time_slow(double freq, uint64_t ticks);

/* Ordering waits for this result, so the fastest case comes first. */
static inline int64_t generation_time(const struct generation *gen, uint64_t ticks)
{
    if (__builtin_expect(ticks < gen->whole_ticks, 1))
        return (int64_t)(ticks * gen->whole);
    if (__builtin_expect(ticks < gen->safe_ticks, 1))
        return (int64_t)((double)(int64_t)ticks * gen->freq);
    return generation_time_slow(gen->freq, ticks);
}
