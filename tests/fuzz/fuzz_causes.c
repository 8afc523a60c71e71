/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a trace whose tasks, waits and goroutines at a moment are looked for. Whatever it is:
 * it ends, no time of a wait is lost, what somebody did meanwhile adds up, and each goroutine is in
 * one place.
 */

#include <errno.h>
#include <string.h>

#include "tests/fuzz/fuzz_source.h"
#include "trace/blockers/blockers.h"
#include "trace/goroutines/alive.h"
#include "trace/trees/trees.h"

static const struct gotrace_options bounds = {.max_memory = 64U << 20};

static struct gotrace *open_trace(struct fuzz_source *source, const uint8_t *data, size_t size)
{
    struct gotrace *t;

    *source = (struct fuzz_source){.data = data, .left = size};
    CHECK(gotrace_open(&bounds, fuzz_source_read, source, &t) == 0);
    return t;
}

static void check_rows(const struct blockers_result *b)
{
    uint64_t count = b->nobody.count + b->untold.count;

    for (size_t i = 0; i < b->n; i++) {
        const struct holds_blocker *row = &b->list[i];
        int64_t sum = 0;

        for (size_t k = 0; k < row->n_did; k++) {
            CHECK(row->did[k].ns > 0);
            sum += row->did[k].ns;
        }
        CHECK(sum == row->held && row->held >= 0 && row->holds <= row->count);
        count += row->count;
    }
    CHECK(count == b->waits.count);
}

static void look_for_blockers(const uint8_t *data, size_t size)
{
    struct blockers_result result;
    struct fuzz_source source;
    struct blockers *b;
    int r = BLOCKERS_AGAIN, broken = 0;

    CHECK(blockers_new(&b) == 0);
    for (unsigned i = 0; r == BLOCKERS_AGAIN; i++) {
        struct gotrace *t = open_trace(&source, data, size);

        CHECK(i < 5);
        r = blockers_run(b, t, &broken);
        gotrace_close(t);
    }
    result = blockers_result(b);
    if (r == BLOCKERS_DONE)
        check_rows(&result);
    blockers_free(b);
}

static void look_for_tasks(const uint8_t *data, size_t size)
{
    static struct wanted wanted;
    static struct trees trees;
    struct fuzz_source source;
    struct gotrace *t = open_trace(&source, data, size);

    wanted_init(&wanted, &(struct wanted_query){.limit = 20}, 1);
    (void)wanted_run(&wanted, t);
    gotrace_close(t);
    for (size_t i = 0; i < wanted.n; i++)
        CHECK(i == 0 || wanted.list[i - 1].duration >= wanted.list[i].duration);
    CHECK(trees_init(&trees, &wanted, 1) == 0);
    t = open_trace(&source, data, size);
    if (trees_run(&trees, t) == 0)
        for (uint32_t i = 0; i < trees.n; i++)
            CHECK(trees.list[i].duration >= 0 && trees.list[i].name);
    gotrace_close(t);
    trees_done(&trees);
    wanted_done(&wanted);
}

static void look_at(const uint8_t *data, size_t size, int64_t at)
{
    struct fuzz_source source;
    struct gotrace *t = open_trace(&source, data, size);
    struct alive_result result;
    struct alive *a;
    uint64_t count = 0;

    CHECK(alive_new(at, &a) == 0);
    (void)alive_run(a, t);
    result = alive_result(a);
    for (size_t i = 0; i < result.n; i++)
        count += result.groups[i].count;
    CHECK(!result.reached || count + result.ungrouped == result.count);
    gotrace_close(t);
    alive_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    look_for_blockers(data, size);
    look_for_tasks(data, size);
    look_at(data, size, ALIVE_END);
    look_at(data, size, 1000000);
    return 0;
}
