/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a trace whose profile is asked for. The first byte of the input chooses the profile
 * and the options, the second the bounds. Whatever it is: it ends, keeps within its memory, counts
 * nothing without a duration and the same each time, and what it found can be encoded.
 */

#include <errno.h>
#include <string.h>

#include "cli/read/encode.h"
#include "tests/fuzz/fuzz_source.h"
#include "trace/profile/profile.h"

struct result {
    int code;
    uint64_t count, ns;
};

static int pass(int (*run)(struct profile *, struct gotrace *), struct profile *p,
                const uint8_t *data, size_t size)
{
    const struct gotrace_options options = {.max_memory = 64U << 20};
    struct fuzz_source source = {.data = data, .left = size};
    struct gotrace *t;
    int r;

    CHECK(gotrace_open(&options, fuzz_source_read, &source, &t) == 0);
    r = run(p, t);
    CHECK(r == 1 || gotrace_last_error(t).code == r || r == -E2BIG);
    gotrace_close(t);
    return r;
}

static int count_bytes(void *userdata, const void *data, size_t n)
{
    size_t *total = userdata;

    CHECK(data && n > 0);
    *total += n;
    return 0;
}

static void look_at(const struct sums *s, struct result *r)
{
    size_t total = 0;

    for (size_t i = 0; i < s->n_stacks; i++) {
        const struct sums_stack *stack = &s->stacks[i];

        CHECK(stack->ns >= 0 && (uint64_t)stack->ns >= stack->count);
        CHECK(stack->n <= 128 && stack->offset + stack->n <= s->n_rows);
        for (size_t j = 0; j < stack->n; j++)
            CHECK(s->rows[stack->offset + j] < s->n_frames);
        r->count += stack->count;
        r->ns += (uint64_t)stack->ns;
    }
    CHECK(encode_sums(s, count_bytes, &total) == 0);
    CHECK(total > 0);
}

static void run(struct result *r, const uint8_t *data, size_t size,
                const struct profile_options *options)
{
    struct profile *p;

    *r = (struct result){0};
    CHECK(profile_new(options, &p) == 0);
    r->code = 1;
    if (!profile_needs_scan(p))
        r->code = pass(profile_count, p, data, size);
    if (r->code == 1) {
        (void)pass(profile_scan, p, data, size);
        CHECK(!profile_needs_scan(p));
        r->code = pass(profile_count, p, data, size);
        CHECK(r->code <= 0);
    }
    look_at(profile_sums(p), r);
    profile_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile_options options = {.max_memory = 16U << 20};
    struct result once, again;

    if (size < 2)
        return 0;
    options.kind = (enum profile_kind)(data[0] & 3);
    if (data[0] & 4)
        options.region = "inner";
    if (data[0] & 8)
        options.task = "task0";
    if (data[0] & 16)
        options.since = 1000U * data[1];
    if (data[0] & 32)
        options.until = 1000000U * data[1];
    if (data[0] & 64)
        options.max_memory = 1024U * data[1];
    run(&once, data + 2, size - 2, &options);
    run(&again, data + 2, size - 2, &options);
    CHECK(once.code == again.code && once.count == again.count && once.ns == again.ns);
    return 0;
}
