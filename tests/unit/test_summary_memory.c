/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Each piece of memory that a summary asks for is refused, once or from then on, as if there were
 * none or as if its bound were reached: an error, or a summary without what had no room. Nothing is
 * written where nothing is, and nothing is lost (the sanitizers look).
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/common/memory.h"
#include "trace/findings/findings.h"
#include "trace/reader/specs.h"
#include "trace/summary/summary.h"

#define MS 1000000LL
#define N_STACKS 120

/* What is refused: the requests from this one on, counted from 0. */
static unsigned long refused_at, asked;
static bool refusing, refused_once;
static int refusal;

static int refuse(struct memory *mem)
{
    unsigned long nth = asked++;

    if (!refusing || (refused_once ? nth != refused_at : nth < refused_at))
        return 0;
    mem->failed = mem->failed || refusal == -ENOMEM;
    return refusal;
}

int __real_memory_new(struct memory *mem, size_t size, void *ret);
int __real_memory_new_aligned(struct memory *mem, size_t alignment, size_t size, void *ret);
int __real_memory_grow_slow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size);
int __wrap_memory_new(struct memory *mem, size_t size, void *ret);
int __wrap_memory_new_aligned(struct memory *mem, size_t alignment, size_t size, void *ret);
int __wrap_memory_grow_slow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size);

int __wrap_memory_new(struct memory *mem, size_t size, void *ret)
{
    int r = refuse(mem);

    return r < 0 ? r : __real_memory_new(mem, size, ret);
}

int __wrap_memory_new_aligned(struct memory *mem, size_t alignment, size_t size, void *ret)
{
    int r = refuse(mem);

    return r < 0 ? r : __real_memory_new_aligned(mem, alignment, size, ret);
}

int __wrap_memory_grow_slow(struct memory *mem, void *pp, size_t *cap, size_t want, size_t size)
{
    int r = refuse(mem);

    return r < 0 ? r : __real_memory_grow_slow(mem, pp, cap, want, size);
}

static const char *const strings[] = {
    "main.inner",
    "main.main",
    "a.go",
    "sync",
    "sync.(*Mutex).Lock",
    "main.(*store).put",
    "sync.(*Mutex).Unlock",
    "task",
    "log",
    "span_id",
    "GC (dedicated)",
    "network",
};

/* Stacks of two functions: stack n is at line n, and each n % 4 is of one kind. */
static void put_tables(void)
{
    static const uint8_t functions[4][2] = {{1, 2}, {5, 6}, {7, 6}, {1, 6}};

    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    for (unsigned i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        rawtrace_string(i + 1, strings[i]);
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    for (unsigned n = 1; n <= N_STACKS; n++) {
        rawtrace_event(EV_STACK, 2, U(n), U(2));
        for (unsigned i = 0; i < 2; i++) {
            rawtrace_number(&rawtrace_batch, 1000 * n + i);
            rawtrace_number(&rawtrace_batch, functions[n % 4][i]);
            rawtrace_number(&rawtrace_batch, 3);
            rawtrace_number(&rawtrace_batch, n);
        }
    }
    rawtrace_end_batch();
}

/* Goroutine 1 of thread 5 begins tasks and regions, blocks, is woken by 2 of thread 6, and so on. */
static void put_running(void)
{
    rawtrace_begin_running(200);
    rawtrace_event(GOTRACE_EV_PROCS_CHANGE, 3, U(1), U(2), U(4));
    EVENT4(GO_STATUS, 1, 50, UINT64_MAX, G_WAITING);
    EVENT5(USER_TASK_BEGIN, 1, 7, 0, 8, 4);
    EVENT5(USER_LOG, 1, 7, 10, 9, 4);
    EVENT4(USER_REGION_BEGIN, 1, 7, 8, 4);
    EVENT2(GC_MARK_ASSIST_BEGIN, 1, 8);
    EVENT1(GC_MARK_ASSIST_END, 1);
    EVENT3(STW_BEGIN, 1, 4, 12);
    EVENT1(STW_END, 1);
    for (unsigned i = 0; i < 12; i++) {
        EVENT3(GO_SYSCALL_BEGIN, 2 * MS, 1 + i, 8 + i);
        EVENT1(GO_SYSCALL_END, 4 * MS);
        EVENT3(GO_STOP, 1, 4, 30 + i);
        EVENT3(GO_START, 90 * MS, 1, 1 + i);
    }
    EVENT4(USER_REGION_END, 1, 7, 8, 4);
    EVENT3(USER_TASK_END, 1, 7, 4);
    EVENT3(GO_BLOCK, 1, 4, 5);
    rawtrace_end_batch();
}

/* The runtime creates a goroutine for a timer: it has no stack of a `go` statement. */
static void put_timers(void)
{
    rawtrace_begin_batch(6, 100);
    EVENT3(PROC_STATUS, 1, 1, P_RUNNING);
    for (unsigned i = 0; i < 40; i++)
        EVENT4(GO_CREATE, 10, 100 + i, 50 + i, 0);
    EVENT3(GO_START, 3000 * MS, 100, 1);
    EVENT4(GO_UNBLOCK, 1, 1, 13, 6);
    EVENT4(GO_CREATE, 1, 300, 95, 96);
    EVENT4(GO_CREATE_BLOCKED, 1, 400, 97, 98);
    EVENT3(GO_SWITCH, 1, 400, 1);
    EVENT3(GO_BLOCK, 1, 4, 9);
    EVENT3(GO_START, 1, 101, 1);
    EVENT1(GO_DESTROY, 1);
    rawtrace_end_batch();
}

static void put_trace(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    put_tables();
    put_running();
    put_timers();
    rawtrace_end_generation();
}

/* Returns whether anything was refused. */
static bool sum_up(int *ret)
{
    struct findings findings;
    struct summary sums;
    struct gotrace *t;

    asked = 0;
    rawtrace_source = (struct rawtrace_source){rawtrace.data, rawtrace.n, SIZE_MAX, 0};
    *ret = gotrace_open(NULL, rawtrace_read, &rawtrace_source, &t);
    if (*ret < 0)
        return asked > refused_at;
    *ret = summary_run(t, &sums);
    gotrace_close(t);
    if (*ret == 0) {
        findings_find(&sums, NULL, &findings);
        assert_non_null(findings.label);
        assert_true(sums.scheduler.by_runtime <= sums.events.total);
        summary_done(&sums);
    }
    return asked > refused_at;
}

static void refuse_each(int error, bool once)
{
    bool refused = true;

    refusing = true;
    refusal = error;
    refused_once = once;
    for (refused_at = 0; refused && refused_at < 2000; refused_at++) {
        int r;

        refused = sum_up(&r);
        assert_true(r == 0 || r == error);
        assert_true(refused || r == 0);
    }
    assert_in_range(refused_at, 50, 1999);
    refusing = false;
}

static void test_whole(void **state)
{
    struct summary sums;
    struct gotrace *t;

    (void)state;
    put_trace();
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(summary_run(t, &sums), 0);
    assert_true(sums.complete);
    assert_int_equal(sums.timer_funcs.count, 40);
    assert_int_equal(sums.slowest[SUMMARY_SLOW_TASKS].n, 1);
    assert_true(sums.wakers.n > 0 && sums.silences.count > 0 && sums.growth.n > 0);
    gotrace_close(t);
    summary_done(&sums);
}

static void test_no_memory(void **state)
{
    (void)state;
    put_trace();
    refuse_each(-ENOMEM, true);
    refuse_each(-ENOMEM, false);
}

static void test_bounds(void **state)
{
    (void)state;
    put_trace();
    refuse_each(-E2BIG, true);
    refuse_each(-E2BIG, false);
}

/* A goroutine that found no place is switched to: it was made runnable by no stack, nor counted. */
static void test_switch_to_unknown(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    put_tables();
    rawtrace_begin_running(200);
    for (unsigned i = 0; i < 60; i++)
        EVENT4(GO_CREATE_BLOCKED, 1, 400 + i, 97, 98);
    for (unsigned i = 0; i < 60; i++)
        EVENT3(GO_SWITCH, 1, 400 + i, 1);
    rawtrace_end_batch();
    rawtrace_end_generation();
    refuse_each(-E2BIG, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_switch_to_unknown),
    };

    return cmocka_run_group_tests_name("summary_memory", tests, NULL, NULL);
}
