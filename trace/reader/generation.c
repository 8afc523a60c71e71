/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/generation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/reader/specs.h"
#include "trace/reader/tables.h"

void generation_init(struct generation *gen, struct input *in, size_t max_bytes, struct memory *mem,
                     struct fault *fault, uint64_t seed)
{
    memset(gen, 0, sizeof(*gen));
    gen->in = in;
    gen->mem = mem;
    gen->fault = fault;
    gen->max_bytes = max_bytes;
    strings_init(&gen->strings, mem, seed);
    stacks_init(&gen->stacks, mem, seed);
    idmap_init(&gen->thread_ids, mem, seed);
}

void generation_done(struct generation *gen)
{
    strings_done(&gen->strings);
    stacks_done(&gen->stacks);
    idmap_done(&gen->thread_ids);
    memory_free(gen->mem, gen->threads, gen->threads_cap * sizeof(*gen->threads));
    memory_free(gen->mem, gen->batches, gen->batches_cap * sizeof(*gen->batches));
    memory_free(gen->mem, gen->samples, gen->samples_cap * sizeof(*gen->samples));
}

static void clear(struct generation *gen)
{
    input_release(gen->in);
    strings_clear(&gen->strings);
    stacks_clear(&gen->stacks);
    idmap_clear(&gen->thread_ids);
    gen->number = 0;
    gen->offset = gen->in->offset;
    gen->min_time = 0;
    gen->has_freq = gen->has_clock = false;
    gen->freq = 0;
    gen->n_experimental = 0;
    gen->n_threads = 0;
    gen->n_batches = 0;
    gen->n_samples = 0;
}

static int find_thread(struct generation *gen, const struct batch *b, uint32_t *ret)
{
    uint32_t i = idmap_find(&gen->thread_ids, (uint64_t)b->thread);
    int r;

    *ret = i;
    if (i != IDMAP_NONE)
        return 0;
    i = gen->n_threads;
    if (i == GENERATION_MAX_THREADS)
        return fault_set(gen->fault, -E2BIG, b->start, "more than %d threads in a generation",
                         GENERATION_MAX_THREADS);
    r = memory_grow(gen->mem, &gen->threads, &gen->threads_cap, (size_t)i + 1,
                    sizeof(*gen->threads));
    if (r == 0)
        r = idmap_add(&gen->thread_ids, (uint64_t)b->thread, i);
    if (r < 0)
        return fault_memory(gen->fault, r, b->start);
    gen->threads[i] = (struct generation_thread){b->thread, IDMAP_NONE, IDMAP_NONE};
    gen->n_threads++;
    *ret = i;
    return 0;
}

static int add_events(struct generation *gen, const struct batch *b)
{
    struct generation_thread *thread;
    uint32_t i = gen->n_batches, t;
    int r;

    r = find_thread(gen, b, &t);
    if (r < 0 || b->data == b->end)
        return r;
    r = memory_grow(gen->mem, &gen->batches, &gen->batches_cap, (size_t)i + 1,
                    sizeof(*gen->batches));
    if (r < 0)
        return fault_memory(gen->fault, r, b->start);
    gen->batches[i] = (struct batch_ref){b->data, b->end, b->offset, b->time, IDMAP_NONE};
    gen->n_batches++;
    thread = &gen->threads[t];
    if (thread->first == IDMAP_NONE)
        thread->first = i;
    else
        gen->batches[thread->last].next = i;
    thread->last = i;
    return 0;
}

static int add_batch(struct generation *gen, const struct batch *b)
{
    uint8_t type = b->data < b->end ? b->data[0] : 0;

    if (gen->min_time == 0 || b->time < gen->min_time)
        gen->min_time = b->time;
    if (b->experimental) {
        gen->n_experimental++;
        return 0;
    }
    if (type == EV_STRINGS)
        return tables_strings(gen, b);
    if (type == EV_STACKS)
        return tables_stacks(gen, b);
    if (type == EV_CPU_SAMPLES)
        return tables_samples(gen, b);
    if (type == (gen->in->version < 25 ? EV_FREQUENCY : EV_SYNC))
        return tables_sync(gen, b);
    if (type == EV_END_OF_GENERATION)
        return fault_set(gen->fault, -EBADMSG, b->offset, "the end of a generation in a batch");
    return add_events(gen, b);
}

static int compare_samples(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

int64_t generation_time_slow(double freq, uint64_t ticks)
{
    double ns = (double)ticks * freq;

    return ns > -9223372036854775808.0 && ns < 9223372036854775808.0 ? (int64_t)ns : INT64_MIN;
}

static bool has_clocks(const struct generation *gen)
{
    return gen->has_freq && (gen->has_clock || gen->in->version < 25);
}

/* Products of up to 52 bits are exact either way. */
static void set_ticks(struct generation *gen)
{
    gen->safe_ticks = gen->freq < 1e9 ? (uint64_t)1 << 32 : 0;
    gen->whole = gen->freq >= 1 && gen->freq < 1 << 20 ? (uint64_t)gen->freq : 0;
    gen->whole_ticks = gen->whole > 0 && (double)gen->whole == gen->freq ? gen->safe_ticks : 0;
}

static int finish(struct generation *gen)
{
    uint32_t frame;
    int r;

    gen->fault->generation = gen->number;
    if (!gen->has_freq)
        return fault_set(gen->fault, -EBADMSG, gen->offset, "generation without a frequency");
    if (!has_clocks(gen))
        return fault_set(gen->fault, -EBADMSG, gen->offset,
                         "generation without a snapshot of the clocks");
    set_ticks(gen);
    r = strings_seal(&gen->strings);
    if (r == 0)
        r = stacks_seal(&gen->stacks, &gen->strings, &frame);
    if (r == -ENOENT)
        return fault_set(gen->fault, -EBADMSG, gen->offset,
                         "the stack frame at pc %#" PRIx64 " names a string that is not there",
                         gen->stacks.frames[frame].pc);
    if (r < 0)
        return fault_memory(gen->fault, r, gen->offset);
    for (size_t i = 0; i < gen->n_samples; i++)
        gen->samples[i].time = generation_time(gen, (uint64_t)gen->samples[i].time);
    if (gen->n_samples > 1)
        qsort(gen->samples, gen->n_samples, sizeof(*gen->samples), compare_samples);
    return 1;
}

/* Before Go 1.26 a generation ends where the next one starts. 1: the batch belongs to the next
 * one. */
static int check_number(struct generation *gen, const struct batch *b)
{
    bool spills = gen->in->version < 26;

    if (b->generation == 0)
        return fault_set(gen->fault, -EBADMSG, b->start, "generation 0");
    if (gen->number == 0) {
        gen->number = b->generation;
        gen->fault->generation = gen->number;
        gen->offset = b->start;
    }
    if (b->generation == gen->number)
        return 0;
    if (!spills)
        return fault_set(gen->fault, -EBADMSG, b->start,
                         "batch of generation %" PRIu64 " before the end of %" PRIu64,
                         b->generation, gen->number);
    if (b->generation != gen->number + 1)
        return fault_set(gen->fault, -EBADMSG, b->start, "generation %" PRIu64 " follows %" PRIu64,
                         b->generation, gen->number);
    gen->spill = *b;
    gen->spilled = true;
    return 1;
}

/* Adds the batch to the generation. 1: it belongs to the next one. */
static int take(struct generation *gen, const struct batch *b)
{
    int r = check_number(gen, b);

    if (r != 0)
        return r;
    gen->bytes = gen->in->offset - gen->offset;
    if (gen->bytes > gen->max_bytes)
        return fault_set(gen->fault, -E2BIG, b->start, "generation of more than %zu bytes",
                         gen->max_bytes);
    return add_batch(gen, b);
}

/* There are no more batches, or the next cannot be read. */
static int ended(struct generation *gen, int r)
{
    if (gen->in->version >= 26) {
        if (r == 0 && gen->number != 0)
            return fault_set(gen->fault, -ENODATA, gen->in->offset,
                             "the trace breaks off within a generation");
        return r;
    }
    if (r == 0 && !has_clocks(gen))
        return fault_set(gen->fault, -ENODATA, gen->in->offset,
                         "the trace breaks off within a generation");
    if (r == 0)
        return finish(gen);
    if (gen->number == 0)
        return r;
    gen->later = *gen->fault;
    *gen->fault = (struct fault){.thread = GOTRACE_NONE, .newer = gen->later.newer};
    return finish(gen);
}

int generation_read(struct generation *gen)
{
    struct batch b;
    int r;

    if (gen->later.code != 0) {
        *gen->fault = gen->later;
        return gen->fault->code;
    }
    if (gen->in->version < 26 && gen->number != 0 && !gen->spilled)
        return 0;
    clear(gen);
    if (gen->spilled) {
        gen->spilled = false;
        b = gen->spill;
        r = take(gen, &b);
        if (r < 0)
            return r;
    }
    for (;;) {
        r = input_batch(gen->in, &b);
        if (r <= 0)
            return ended(gen, r);
        if (b.end_of_generation) {
            if (gen->in->version >= 26)
                return finish(gen);
            return fault_set(gen->fault, -EBADMSG, b.start,
                             "end of a generation in a version that has none");
        }
        r = take(gen, &b);
        if (r < 0)
            return r;
        if (r > 0)
            return finish(gen);
    }
}
