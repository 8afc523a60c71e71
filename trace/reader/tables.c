/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/tables.h"

#include <errno.h>
#include <inttypes.h>

#include "trace/common/varint.h"
#include "trace/reader/generation_data.h"
#include "trace/reader/specs.h"

/* A place in a batch; what is read moves it on. */
struct place {
    struct generation *gen;
    const struct batch *b;
    const uint8_t *p;
};

static uint64_t offset_of(const struct place *at)
{
    return at->b->offset + (uint64_t)(at->p - at->b->data);
}

static bool more(const struct place *at)
{
    return at->p < at->b->end;
}

static int bad(const struct place *at, const char *text)
{
    return fault_set(at->gen->fault, -EBADMSG, offset_of(at), "%s", text);
}

static int expect(struct place *at, uint8_t type, const char *text)
{
    if (*at->p != type)
        return bad(at, text);
    at->p++;
    return 0;
}

static int number(struct place *at, uint64_t *ret)
{
    const uint8_t *next = varint_get(at->p, at->b->end, ret);

    if (!next)
        return bad(at, "a number that does not end within its batch, or has more than 64 bits");
    at->p = next;
    return 0;
}

static int numbers(struct place *at, unsigned n, uint64_t *ret)
{
    int r = 0;

    for (unsigned i = 0; i < n && r == 0; i++)
        r = number(at, &ret[i]);
    return r;
}

static int added(const struct place *at, int r, const char *what, uint64_t id)
{
    if (r == -EEXIST)
        return fault_set(at->gen->fault, -EBADMSG, offset_of(at), "two %ss have the id %" PRIu64,
                         what, id);
    return r < 0 ? fault_memory(at->gen->fault, r, offset_of(at)) : 0;
}

/* As numbers() for two, in fewer steps: the padding behind the batch allows to read past its end. */
static inline int two_numbers(struct place *at, uint64_t *ret)
{
    const uint8_t *end = at->b->end;
    const uint8_t *p = varint_padded(at->p, &ret[0], &end);

    p = varint_padded(p, &ret[1], &end);
    if (__builtin_expect(p > end, 0))
        return numbers(at, 2, ret); /* which says what is wrong */
    at->p = p;
    return 0;
}

static int read_string(struct place *at)
{
    uint64_t v[2]; /* id, length */
    int r = expect(at, EV_STRING, "expected a string");

    if (r == 0)
        r = two_numbers(at, v);
    if (r < 0)
        return r;
    if (v[1] > STRINGS_MAX_LEN)
        return bad(at, "string of more than 1024 bytes");
    if (v[1] > (uint64_t)(at->b->end - at->p))
        return bad(at, "string that does not end within its batch");
    r = strings_add(&at->gen->strings, v[0], at->p, (uint32_t)v[1]);
    if (r < 0)
        return added(at, r, "string", v[0]);
    at->p += v[1];
    return 0;
}

int tables_strings(struct generation *gen, const struct batch *b)
{
    struct place at = {gen, b, b->data + 1};
    int r = 0;

    while (more(&at) && r == 0)
        r = read_string(&at);
    return r;
}

_Static_assert(INPUT_PADDING >= 4 * VARINT_PADDING, "four numbers may be read in one go");

/* As two_numbers for four, of which the first mostly has four bytes. */
static inline int four_numbers(struct place *at, uint64_t *ret)
{
    const uint8_t *end = at->b->end;
    const uint8_t *p = varint_four(at->p, &ret[0], &end);

    for (unsigned i = 1; i < 4; i++)
        p = varint_padded(p, &ret[i], &end);
    if (__builtin_expect(p > end, 0))
        return numbers(at, 4, ret);
    at->p = p;
    return 0;
}

/* A frame that is new, or that cannot be read in the short way. */
static int new_frame(struct place *at, uint32_t *ret)
{
    uint64_t v[4]; /* pc, function, file, line */
    int r = four_numbers(at, v);

    if (r < 0)
        return r;
    *ret = stacks_known(&at->gen->stacks, v[0]);
    if (*ret != IDMAP_NONE)
        return 0;
    r = stacks_new_frame(&at->gen->stacks, &(struct gotrace_frame){v[0], v[1], v[2], v[3]}, ret);
    return r < 0 ? added(at, r, "frame", v[0]) : 0;
}

_Static_assert(INPUT_PADDING >= VARINT_PADDING + 8, "a known frame may be read in one go");

/* Reads a frame that was not met lately. Of one that is known only the pc counts. */
static int read_frame(struct place *at, uint32_t *ret)
{
    struct stacks *stacks = &at->gen->stacks;
    uint32_t raw = stacks_raw(at->p);
    const uint8_t *end = at->b->end, *p;
    uint64_t pc;
    int r = 0;

    p = varint_skip_three(varint_four(at->p, &pc, &end));
    *ret = stacks_known(stacks, pc);
    if (*ret == IDMAP_NONE || !p || p > end)
        r = new_frame(at, ret);
    else
        at->p = p;
    if (r == 0)
        stacks_note_recent(stacks, raw, *ret);
    return r;
}

/*
 * Frames are most of a generation's tables, and nearly always a frame was met not long ago: then it
 * is found by the bytes of its pc, and its other numbers are skipped.
 */
static int read_frames(struct place *at, size_t n, uint32_t *row)
{
    const struct stacks *stacks = &at->gen->stacks;
    const uint8_t *end = at->b->end, *p = at->p;
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        uint32_t raw = stacks_raw(p);
        const struct stacks_recent *recent = stacks_recent(stacks, raw);

        if (__builtin_expect(recent->raw == raw, 1)) {
            const uint8_t *next = varint_skip_three(p + STACKS_RAW);

            if (__builtin_expect(next && next <= end, 1)) {
                row[i] = recent->frame;
                p = next;
                continue;
            }
        }
        at->p = p;
        r = read_frame(at, &row[i]);
        p = at->p;
    }
    at->p = p;
    return r;
}

static int read_stack(struct place *at)
{
    struct stacks *stacks = &at->gen->stacks;
    uint64_t v[2]; /* id, frames */
    uint32_t *row;
    int r = expect(at, EV_STACK, "expected a stack");

    if (r == 0)
        r = two_numbers(at, v);
    if (r < 0)
        return r;
    if (v[1] > STACKS_MAX_FRAMES)
        return bad(at, "stack of more than 128 frames");
    r = stacks_begin(stacks, v[0], (size_t)v[1], &row);
    if (r < 0)
        return added(at, r, "stack", v[0]);
    r = read_frames(at, (size_t)v[1], row);
    if (r == 0)
        stacks_end(stacks, (size_t)v[1]);
    return r;
}

int tables_stacks(struct generation *gen, const struct batch *b)
{
    struct place at = {gen, b, b->data + 1};
    int r = 0;

    while (more(&at) && r == 0)
        r = read_stack(&at);
    return r;
}

static int read_sample(struct place *at)
{
    struct generation *gen = at->gen;
    uint64_t v[5]; /* time, thread, proc, goroutine, stack */
    int r = expect(at, EV_CPU_SAMPLE, "expected a CPU sample");

    if (r == 0)
        r = numbers(at, 5, v);
    if (r < 0)
        return r;
    if (v[2] > INT32_MAX && v[2] != UINT64_MAX)
        return bad(at, "CPU sample of a proc beyond all numbers");
    r = memory_grow(gen->mem, &gen->samples, &gen->samples_cap, gen->n_samples + 1,
                    sizeof(*gen->samples));
    if (r < 0 || gen->n_samples >= UINT32_MAX)
        return fault_memory(gen->fault, r < 0 ? r : -E2BIG, offset_of(at));
    gen->samples[gen->n_samples] = (struct sample){
        .time = (int64_t)v[0],
        .m = (int64_t)v[1],
        .p = v[2] == UINT64_MAX ? GOTRACE_NONE : (int32_t)v[2],
        .g = v[3] == 0 ? GOTRACE_NONE : (int64_t)v[3],
        .stack = v[4],
        .seq = (uint32_t)gen->n_samples,
    };
    gen->n_samples++;
    return 0;
}

int tables_samples(struct generation *gen, const struct batch *b)
{
    struct place at = {gen, b, b->data + 1};
    int r = 0;

    while (more(&at) && r == 0)
        r = read_sample(&at);
    return r;
}

static int read_frequency(struct place *at)
{
    uint64_t freq;
    int r;

    if (at->gen->has_freq)
        return bad(at, "a second frequency");
    at->p++;
    r = number(at, &freq);
    if (r < 0)
        return r;
    at->gen->has_freq = true;
    at->gen->freq = 1.0 / ((double)freq / 1e9);
    return 0;
}

static int read_clock(struct place *at, uint64_t *time)
{
    uint64_t v[4]; /* time, monotonic, seconds, nanoseconds */
    int r;

    if (at->gen->has_clock)
        return bad(at, "a second snapshot of the clocks");
    at->p++;
    r = numbers(at, 4, v);
    if (r < 0)
        return r;
    *time += v[0];
    at->gen->has_clock = true;
    at->gen->clock_time = *time;
    at->gen->clock_mono = v[1];
    at->gen->clock_sec = (int64_t)v[2];
    at->gen->clock_nsec = (int64_t)v[3];
    return 0;
}

int tables_sync(struct generation *gen, const struct batch *b)
{
    bool clocks = gen->in->version >= 25;
    struct place at = {gen, b, b->data + clocks};
    uint64_t time = b->time;
    int r = 0;

    while (more(&at) && r == 0) {
        if (*at.p == EV_FREQUENCY)
            r = read_frequency(&at);
        else if (clocks && *at.p == EV_CLOCK_SNAPSHOT)
            r = read_clock(&at, &time);
        else
            r = bad(&at, "expected a frequency or a snapshot of the clocks");
    }
    return r;
}
