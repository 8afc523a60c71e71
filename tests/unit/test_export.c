/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tests/support/pfpackets.h"
#include "tests/support/rawtrace.h"
#include "trace/export/export.h"
#include "trace/export/lanes.h"

static struct pfpackets file;
static struct export_result result;

static int setup(void **state)
{
    (void)state;
    pfpackets_init(&file, 1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pfpackets_done(&file);
    return 0;
}

static void run(const struct export_options *options, int code)
{
    struct gotrace *t = rawtrace_open(rawtrace.n, NULL);

    assert_int_equal(export_run(t, options, pfpackets_write, &file, &result), code);
    gotrace_close(t);
    pfpackets_end(&file);
    if (file.wrong)
        fail_msg("%s", file.wrong);
    assert_int_equal(file.begins, file.ends);
    assert_int_equal(file.begins, file.n);
    assert_int_equal(file.packets, result.packets);
}

/* The nth slice of a track. */
static const struct pfpackets_slice *slice(const char *where, unsigned n)
{
    for (size_t i = 0; i < file.n; i++)
        if (strcmp(file.slices[i].where, where) == 0 && n-- == 0)
            return &file.slices[i];
    fail_msg("%s has too few slices", where);
    return NULL;
}

static void is(const char *where, unsigned n, const char *name, int64_t length)
{
    const struct pfpackets_slice *s = slice(where, n);

    assert_string_equal(s->name, name);
    assert_int_equal(s->end - s->begin, length);
}

static void begin(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(200);
}

static void end(void)
{
    rawtrace_end_batch();
    rawtrace_end_generation();
}

/* Goroutine 1 blocks for 200 ns and is runnable for 200 ns; 2 runs meanwhile. Two units of the
 * trace's clock are a nanosecond. */
static void put_turns(void)
{
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT3(GO_START, 200, 2, 1);
    EVENT4(GO_UNBLOCK, 200, 1, 1, 7);
    EVENT3(GO_STOP, 200, 4, 7);
    EVENT3(GO_START, 200, 1, 2);
}

static void test_turns(void **state)
{
    const int64_t goroutines[] = {1};

    (void)state;
    begin();
    put_turns();
    end();
    run(&(struct export_options){.goroutines = goroutines, .n_goroutines = 1}, 0);
    assert_true(result.complete);
    assert_string_equal(slice("P 0", 0)->name, "(start function not known)"); /* yet */
    is("P 0", 1, "main.main", 200);                                           /* goroutine 2 */
    assert_int_equal(slice("P 0", 2)->end, result.window);
    assert_int_equal(slice("G 1 main.main", 0)->begin, 0);
    is("G 1 main.main", 1, "blocked: sync", 200);
    is("G 1 main.main", 2, "runnable", 200);
    assert_string_equal(slice("G 1 main.main", 3)->name, "running");
    assert_true(file.counters > 0);
}

/* Within the run of its goroutine there is the system call; the P is taken away meanwhile. */
static void test_syscalls(void **state)
{
    (void)state;
    begin();
    EVENT3(GO_SYSCALL_BEGIN, 200, 1, 7);
    EVENT1(GO_SYSCALL_END, 100);
    EVENT3(GO_SYSCALL_BEGIN, 200, 2, 7);
    rawtrace_end_batch();
    rawtrace_begin_batch(6, 1102);
    EVENT4(PROC_STEAL, 0, 0, 3, 5);
    rawtrace_end_batch();
    rawtrace_begin_batch(5, 1402);
    EVENT1(GO_SYSCALL_END_BLOCKED, 0);
    end();
    run(&(struct export_options){0}, 0);
    is("P 0", 1, "system call", 50);
    assert_int_equal(slice("P 0", 1)->depth, 1);
    assert_string_equal(slice("P 0", 2)->name, "system call");
    assert_int_equal(slice("P 0", 0)->end, slice("P 0", 2)->end);
    assert_true(slice("P 0", 2)->end < result.window);
}

/* What goes on at the part's begin or end is cut there. */
static void test_part(void **state)
{
    const int64_t goroutines[] = {1};
    struct export_options options = {.goroutines = goroutines, .n_goroutines = 1};

    (void)state;
    begin();
    put_turns();
    end();
    run(&options, 0);
    options.since = slice("G 1 main.main", 1)->begin + 50;
    options.until = options.since + 200;
    pfpackets_done(&file);
    pfpackets_init(&file, 1000);
    run(&options, 0);
    assert_true(result.complete);
    for (size_t i = 0; i < file.n; i++)
        assert_true(file.slices[i].begin >= options.since && file.slices[i].end <= options.until);
    is("G 1 main.main", 0, "blocked: sync", 150);
    is("G 1 main.main", 1, "runnable", 50);
    assert_int_equal(slice("G 1 main.main", 0)->begin, options.since);
    pfpackets_done(&file);
    pfpackets_init(&file, 1000);
    run(&(struct export_options){.since = 1000000}, 0);
    assert_int_equal(file.n, 0);
    assert_true(result.window < 1000000);
}

static void test_tasks(void **state)
{
    (void)state;
    begin();
    EVENT5(USER_TASK_BEGIN, 200, 5, 0, 4, 7);
    put_turns();
    EVENT4(USER_REGION_BEGIN, 100, 5, 4, 7);
    EVENT4(USER_REGION_BEGIN, 100, 5, 3, 7);
    EVENT5(USER_TASK_BEGIN, 100, 6, 5, 3, 7);
    EVENT4(USER_REGION_END, 100, 5, 3, 7);
    EVENT4(USER_REGION_END, 100, 5, 4, 7);
    EVENT3(USER_TASK_END, 200, 6, 7);
    end();
    run(&(struct export_options){0}, 0);
    assert_string_equal(slice("tasks", 0)->name, "sync");
    assert_int_equal(slice("tasks", 0)->end, result.window); /* it does not end */
    assert_int_equal(slice("tasks", 1)->end - slice("tasks", 1)->begin, 200);
    assert_true(slice("tasks", 0)->track != slice("tasks", 1)->track);
    is("regions", 0, "sync", 200);
    assert_int_equal(slice("regions", 1)->end - slice("regions", 1)->begin, 100);
}

static int full(void *userdata, const void *data, size_t n)
{
    (void)userdata;
    (void)data;
    (void)n;
    return -ENOSPC;
}

static void test_failures(void **state)
{
    struct gotrace *t;

    (void)state;
    begin();
    put_turns();
    end();
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(export_run(t, &(struct export_options){0}, full, NULL, &result), -ENOSPC);
    gotrace_close(t);
    rawtrace.n -= 5;
    run(&(struct export_options){0}, -ENODATA);
    assert_false(result.complete);
}

static struct memory mem = {.max = SIZE_MAX};
static struct texts texts;
static struct packets packets;
static struct lanes lanes;

static void begin_lanes(void)
{
    const struct packets_clock clock = {0};

    assert_int_equal(texts_init(&texts, &mem, 1), 0);
    packets_init(&packets, &texts, &clock, pfpackets_write, &file);
    lanes_init(&lanes, &mem, &packets);
    lanes.writing = true;
}

static void end_lanes(void)
{
    lanes_leave(&lanes, 1000);
    assert_int_equal(packets_flush(&packets), 0);
    pfpackets_end(&file);
    lanes_done(&lanes);
    packets_done(&packets);
    texts_done(&texts);
    arena_free(texts.arena);
    assert_null(file.wrong);
    assert_int_equal(file.begins, file.ends);
}

static void push(uint32_t lane, int64_t time, const char *name)
{
    struct packets_slice s = {0};

    assert_int_equal(texts_add(&texts, name, strlen(name), &s.name), 0);
    lanes_push(&lanes, lane, time, &s);
}

/* A region that ends before those within it: they go on. */
static void test_misnested(void **state)
{
    uint32_t lane;

    (void)state;
    begin_lanes();
    assert_int_equal(lanes_new(&lanes, LANES_REGIONS, TEXTS_OTHER, 0, &lane), 0);
    push(lane, 10, "a");
    push(lane, 20, "b");
    push(lane, 30, "c");
    lanes_pop_below(&lanes, lane, 40, 2);
    assert_int_equal(lanes.list[lane].depth, 2);
    lanes_pop_below(&lanes, lane, 50, 2); /* there is none */
    lanes_pop(&lanes, lane, 60);
    end_lanes();
    is("(other)", 0, "a", 30);
    is("(other)", 3, "b", 1000 - 40);
    is("(other)", 4, "c", 60 - 40);
}

/* What is too deep is left out, and all that ends is what began. */
static void test_deep(void **state)
{
    uint32_t lane;

    (void)state;
    begin_lanes();
    assert_int_equal(lanes_new(&lanes, LANES_REGIONS, TEXTS_OTHER, 0, &lane), 0);
    for (int64_t i = 0; i < 3 * LANES_DEPTH; i++)
        push(lane, i, "a");
    assert_int_equal(file.begins, 0); /* it is still in the buffer */
    lanes_pop_below(&lanes, lane, 100, 7);
    for (unsigned i = 0; i < 2 * LANES_DEPTH; i++)
        lanes_pop(&lanes, lane, 100 + i);
    assert_int_equal(lanes.list[lane].depth, LANES_DEPTH - 1);
    push(lane, 500, "b");
    end_lanes();
    assert_int_equal(file.begins, LANES_DEPTH + 1);
}

/* A lane that was given back is used again, by its own group. */
static void test_reuse(void **state)
{
    uint32_t a, b, c;

    (void)state;
    begin_lanes();
    assert_int_equal(lanes_new(&lanes, LANES_TASKS, TEXTS_OTHER, 0, &a), 0);
    assert_int_equal(lanes_new(&lanes, LANES_TASKS, TEXTS_OTHER, 0, &b), 0);
    lanes_free(&lanes, a);
    assert_int_equal(lanes_new(&lanes, LANES_REGIONS, TEXTS_OTHER, 0, &c), 0);
    assert_int_not_equal(a, c);
    assert_int_equal(lanes_new(&lanes, LANES_TASKS, TEXTS_OTHER, 0, &c), 0);
    assert_int_equal(a, c);
    while (c != LANES_NONE)
        assert_int_equal(lanes_new(&lanes, LANES_TASKS, TEXTS_OTHER, 0, &c), 0);
    assert_int_equal(lanes.n, LANES_MAX);
    push(LANES_NONE, 1, "nowhere");
    lanes_pop(&lanes, LANES_NONE, 2);
    end_lanes();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_syscalls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_part, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tasks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_misnested, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reuse, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
