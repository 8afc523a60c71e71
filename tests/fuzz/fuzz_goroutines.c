/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a trace whose goroutines are summed up. The first byte of the input chooses the
 * options, the second the bound of memory. Whatever it is: it ends, keeps within its memory, gives
 * the same each time, no time is negative, and the groups are the sum of their parts.
 */

#include <errno.h>
#include <string.h>

#include "tests/fuzz/fuzz_source.h"
#include "trace/goroutines/goroutines.h"

struct sums {
    int code;
    uint64_t count, listed;
    int64_t ns[TIMES_N];
};

static void check_times(const struct goroutines_result *g, const struct times *t)
{
    int64_t divided = 0;

    for (unsigned i = 0; i < TIMES_N; i++)
        CHECK(t->ns[i] >= 0);
    for (uint32_t i = t->shares; i != SHARES_NONE; i = g->shares->list[i].next) {
        CHECK(i < g->shares->n && g->shares->list[i].column < g->columns->n);
        CHECK(g->shares->list[i].ns >= 0);
        if (g->columns->list[g->shares->list[i].column].kind == COLUMN_BLOCK)
            divided = times_plus(divided, g->shares->list[i].ns);
    }
    CHECK(divided <= t->ns[TIMES_BLOCK]);
    CHECK(g->left_out_ns > 0 || divided == t->ns[TIMES_BLOCK]);
}

static void look_at(const struct goroutines_result *g, struct sums *sums)
{
    for (size_t i = 0; i < g->groups->n; i++) {
        const struct group *group = &g->groups->list[i];

        CHECK(group->count > 0 && texts_get(g->texts, group->name));
        check_times(g, &group->times);
        sums->count += group->count;
        for (unsigned k = 0; k < TIMES_N; k++)
            sums->ns[k] = times_plus(sums->ns[k], group->times.ns[k]);
    }
    CHECK(sums->count == g->count && sums->ns[TIMES_EXEC] == g->exec);
    CHECK(g->worst->n + g->worst->left_out == g->matches);
    sums->listed = g->worst->n;
    for (size_t i = 0; i < g->worst->n; i++) {
        CHECK(i == 0 || g->worst->list[i - 1].key >= g->worst->list[i].key);
        check_times(g, &g->worst->list[i].life.times);
    }
}

static void run(struct sums *sums, const uint8_t *data, size_t size,
                const struct goroutines_options *options)
{
    const struct gotrace_options bounds = {.max_memory = 64U << 20};
    struct fuzz_source source = {.data = data, .left = size};
    struct goroutines_result result;
    struct goroutines *g;
    struct gotrace *t;

    *sums = (struct sums){0};
    CHECK(goroutines_new(options, &g) == 0);
    CHECK(gotrace_open(&bounds, fuzz_source_read, &source, &t) == 0);
    sums->code = goroutines_run(g, t);
    CHECK(gotrace_last_error(t).code == sums->code || sums->code == -E2BIG);
    result = goroutines_result(g);
    if (gotrace_last_error(t).code == sums->code)
        look_at(&result, sums);
    gotrace_close(t);
    goroutines_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct goroutines_options options = {0};
    struct sums once, again;

    if (size < 2)
        return 0;
    options.order.field = (enum times_field)((data[0] & 15) % TIMES_N);
    options.order.reverse = data[0] & 16;
    options.name = data[0] & 32 ? "main" : NULL;
    options.keep = data[0] & 64 ? 3 : 1000;
    if (data[0] & 128)
        options.order.reason = "sync";
    options.max_memory = data[1] < 255 ? 1024U * data[1] : 0;
    run(&once, data + 2, size - 2, &options);
    run(&again, data + 2, size - 2, &options);
    CHECK(memcmp(&once, &again, sizeof(once)) == 0);
    return 0;
}
