/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a trace of which lines and a file for Perfetto are made. The first byte of the input
 * chooses the options, the second the bound of memory. Whatever it is: it ends, keeps within its
 * memory, no time is negative, and what is written keeps the rules of the format.
 */

#include <errno.h>

#include "tests/fuzz/fuzz_source.h"
#include "tests/support/pfpackets.h"
#include "trace/export/export.h"
#include "trace/timeline/timeline.h"

static const struct gotrace_options bounds = {.max_memory = 64U << 20};

static void show(const uint8_t *data, size_t size, const struct timeline_options *options)
{
    struct fuzz_source source = {.data = data, .left = size};
    struct timeline_result result;
    struct timeline *timeline;
    struct gotrace *t;
    int r;

    CHECK(timeline_new(options, &timeline) == 0);
    CHECK(gotrace_open(&bounds, fuzz_source_read, &source, &t) == 0);
    r = timeline_run(timeline, t);
    CHECK(gotrace_last_error(t).code == r || r == -E2BIG || r == -EOVERFLOW || r == 0);
    result = timeline_result(timeline);
    CHECK(result.start <= result.end);
    for (size_t i = 0; r == 0 && i < result.bins->n; i++)
        for (unsigned k = 0; k < BINS_N_SHARES; k++)
            CHECK(result.bins->list[i].ns[k] >= 0);
    gotrace_close(t);
    timeline_free(timeline);
}

static void export_all(const uint8_t *data, size_t size, const struct export_options *options)
{
    struct fuzz_source source = {.data = data, .left = size};
    struct export_result result;
    struct pfpackets file;
    struct gotrace *t;
    int r;

    pfpackets_init(&file, 0);
    CHECK(gotrace_open(&bounds, fuzz_source_read, &source, &t) == 0);
    r = export_run(t, options, pfpackets_write, &file, &result);
    CHECK(gotrace_last_error(t).code == r || r == -EOVERFLOW || r == 0);
    pfpackets_end(&file);
    if (r == 0 || gotrace_last_error(t).code == r) {
        CHECK(!file.wrong);
        CHECK(file.begins == file.ends && file.packets == result.packets);
    }
    gotrace_close(t);
    pfpackets_done(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t goroutines[] = {1, 2, 7, 18, 33};
    struct timeline_options lines = {0};
    struct export_options options = {.goroutines = goroutines, .n_goroutines = 5};

    if (size < 2)
        return 0;
    lines.step = data[0] & 1 ? 100000 : 0;
    lines.since = options.since = data[0] & 2 ? 1000000 : 0;
    lines.until = options.until = data[0] & 4 ? 20000000 : 0;
    lines.max_memory = data[1] < 255 ? 1024U * data[1] : 0;
    show(data + 2, size - 2, &lines);
    export_all(data + 2, size - 2, &options);
    return 0;
}
