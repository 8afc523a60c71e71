/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/timeline/timeline.h"
#include "trace/timeline/waits.h"

static struct timeline *timeline;
static struct timeline_result result;

static int teardown(void **state)
{
    (void)state;
    timeline_free(timeline);
    timeline = NULL;
    return 0;
}

static void run(const struct timeline_options *options, int code)
{
    struct gotrace *t = rawtrace_open(rawtrace.n, NULL);

    timeline_free(timeline);
    assert_int_equal(timeline_new(options, &timeline), 0);
    assert_int_equal(timeline_run(timeline, t), code);
    gotrace_close(t);
    result = timeline_result(timeline);
}

static int64_t all(enum bins_share share)
{
    return bins_sum(result.bins, 0, result.bins->n).ns[share];
}

/* Goroutine 1 blocks for 200 ns and is runnable for 200 ns; 2 runs meanwhile. Two units of the
 * trace's clock are a nanosecond. */
static void put_turns(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(200);
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT3(GO_START, 200, 2, 1);
    EVENT4(GO_UNBLOCK, 200, 1, 1, 7);
    EVENT3(GO_STOP, 200, 4, 7);
    EVENT3(GO_START, 200, 1, 2);
}

static void end(void)
{
    rawtrace_end_batch();
    rawtrace_end_generation();
}

static void test_states(void **state)
{
    int64_t window;

    (void)state;
    put_turns();
    end();
    run(&(struct timeline_options){.step = 100}, 0);
    window = result.end - result.start;
    assert_true(result.complete);
    assert_int_equal(result.generations, 1);
    assert_int_equal(all(BINS_SYNC), 200);
    /* 1 for 200 ns, 2 for 200 ns and from its stop on, which is 100 ns before the last event
     * and 101 before the trace's end. */
    assert_int_equal(all(BINS_RUNNABLE), 200 + 200 + 101);
    /* On the P there is always one of them, but for the 100 ns after the block and the stop. */
    assert_int_equal(all(BINS_RUNNING), window - 200);
    assert_int_equal(all(BINS_FROZEN), 0);
    assert_int_equal(result.freezes, 0);
    assert_int_equal(bins_sum(result.bins, 0, result.bins->n).most[BINS_WAITING_TO_RUN], 2);
}

/* A part has what the whole has there. */
static void test_part(void **state)
{
    int64_t running[3], whole;

    (void)state;
    put_turns();
    end();
    run(&(struct timeline_options){.step = 50}, 0);
    whole = all(BINS_RUNNING);
    run(&(struct timeline_options){.step = 50, .until = 250}, 0);
    running[0] = all(BINS_RUNNING);
    assert_int_equal(result.end - result.start, 250);
    run(&(struct timeline_options){.step = 50, .since = 250, .until = 400}, 0);
    running[1] = all(BINS_RUNNING);
    assert_int_equal(result.end - result.start, 150);
    run(&(struct timeline_options){.step = 50, .since = 400}, 0);
    running[2] = all(BINS_RUNNING);
    assert_int_equal(running[0] + running[1] + running[2], whole);
    run(&(struct timeline_options){.step = 50, .since = 1000000}, 0);
    assert_int_equal(result.start, result.end);
}

/* 50 ms without an event, while goroutine 1 runs. */
static void test_frozen(void **state)
{
    const int64_t ms = 1000000;

    (void)state;
    put_turns();
    EVENT4(GO_CREATE, U(2 * 50 * ms), 3, 7, 7);
    EVENT4(GO_CREATE, U(2 * 30 * ms), 4, 7, 7);
    end();
    run(&(struct timeline_options){.step = 10 * ms}, 0);
    assert_int_equal(result.freezes, 1);
    assert_int_equal(all(BINS_FROZEN), 50 * ms);
    assert_in_range(all(BINS_RUNNING), 30 * ms, 30 * ms + 2000);
    run(&(struct timeline_options){.step = 10 * ms, .since = 60 * ms}, 0);
    assert_int_equal(result.freezes, 0);
    assert_int_equal(all(BINS_FROZEN), 0);
}

static void test_failures(void **state)
{
    (void)state;
    put_turns();
    end();
    run(&(struct timeline_options){.step = 100, .max_memory = 1}, -E2BIG);
    rawtrace.n -= 5;
    run(&(struct timeline_options){.step = 100}, -ENODATA);
    assert_false(result.complete);
    rawtrace.n = 16;
    run(&(struct timeline_options){0}, 0);
    assert_int_equal(result.generations, 0);
    assert_int_equal(result.start, result.end);
}

static void test_reasons(void **state)
{
    static const struct {
        const char *text;
        enum waits_class class;
    } reasons[] = {
        {"chan receive", WAITS_CHANNEL},
        {"chan send", WAITS_CHANNEL},
        {"select", WAITS_CHANNEL},
        {"sync", WAITS_SYNC},
        {"sync.(*Cond).Wait", WAITS_SYNC},
        {"network", WAITS_NETWORK},
        {"sleep", WAITS_SLEEP},
        {"synctest", WAITS_OTHER},
        {"GC mark assist wait for work", WAITS_OTHER},
        {"system goroutine wait", WAITS_OTHER},
        {"", WAITS_OTHER},
        {"forever", WAITS_FOREVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        assert_int_equal(waits_of_reason(reasons[i].text, strlen(reasons[i].text)),
                         reasons[i].class);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_states, teardown),
        cmocka_unit_test_teardown(test_part, teardown),
        cmocka_unit_test_teardown(test_frozen, teardown),
        cmocka_unit_test_teardown(test_failures, teardown),
        cmocka_unit_test(test_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
