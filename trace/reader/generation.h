/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One generation, read to its end: its strings, stacks, clock and CPU samples understood, the
 * batches of events sorted by thread and otherwise untouched. As readGeneration in
 * internal/trace/generation.go does it.
 */

#include "trace/reader/generation_data.h"

void generation_init(struct generation *gen, struct input *in, size_t max_bytes, struct memory *mem,
                     struct fault *fault, uint64_t seed);
void generation_done(struct generation *gen);

/* Forgets this generation and reads the next. 1, 0 at the end, or an error as gotrace_next. */
int generation_read(struct generation *gen);

/* As frequency.mul in internal/trace/base.go on amd64: out of range becomes the least number. */
int64_t generation_time_slow(double freq, uint64_t ticks);

/* The order of a thread's next event waits for this, so what takes the fewest steps comes first. */
static inline int64_t generation_time(const struct generation *gen, uint64_t ticks)
{
    if (__builtin_expect(ticks < gen->whole_ticks, 1))
        return (int64_t)(ticks * gen->whole);
    if (__builtin_expect(ticks < gen->safe_ticks, 1))
        return (int64_t)((double)(int64_t)ticks * gen->freq);
    return generation_time_slow(gen->freq, ticks);
}
