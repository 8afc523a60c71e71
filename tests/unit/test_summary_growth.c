/* SPDX-License-Identifier: Apache-2.0 */

/* Where goroutines were created that are left, and what they wait for, of a trace made by hand. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/reader/specs.h"
#include "trace/summary/summary.h"

static struct summary sums;

static void sum_up(void)
{
    struct gotrace *t = rawtrace_open(rawtrace.n, NULL);

    assert_int_equal(summary_run(t, &sums), 0);
    assert_true(sums.complete);
    gotrace_close(t);
}

/* Goroutine 1 creates ten others, of which two end and eight wait. Goroutine 50 is older. */
static void test_growth(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(200);
    EVENT4(GO_STATUS, 1, 50, UINT64_MAX, 4); /* waits */
    for (unsigned i = 2; i < 12; i++)
        EVENT4(GO_CREATE, 1000000, i, 7, 7);
    EVENT3(GO_BLOCK, 10, 4, 7);
    for (unsigned i = 2; i < 12; i++) {
        EVENT3(GO_START, 10, i, 1);
        if (i < 4)
            EVENT1(GO_DESTROY, 10);
        else
            EVENT3(GO_BLOCK, 10, 4, 7);
    }
    rawtrace_end_batch();
    rawtrace_end_generation();
    sum_up();
    assert_int_equal(sums.goroutines.created, 10);
    assert_int_equal(sums.growth.n, 1);
    assert_string_equal(sums.growth.list[0].at.func, "main.inner");
    assert_int_equal(sums.growth.list[0].created, 10);
    assert_int_equal(sums.growth.list[0].ended, 2);
    assert_string_equal(sums.growth.reason, "sync");
    assert_true(sums.growth.blocked);
    assert_string_equal(sums.growth.waits_at.func, "main.inner");
    assert_int_equal(sums.growth.waiting, 8);
    assert_int_equal(sums.growth.older_ended, 0);
    assert_int_equal(sums.growth.older_waiting, 1); /* goroutine 1 */
    assert_int_equal(sums.growth.older_untold, 1);
    assert_int_equal(sums.growth.in_network, 0);
    summary_done(&sums);
}

/* Nobody creates any; the one that ends is older than the trace. */
static void test_none_created(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(200);
    EVENT1(GO_DESTROY, 10);
    rawtrace_end_batch();
    rawtrace_end_generation();
    sum_up();
    assert_int_equal(sums.growth.n, 0);
    assert_string_equal(sums.growth.reason, "");
    assert_int_equal(sums.growth.older_ended, 1);
    summary_done(&sums);
}

static void add_stack(unsigned stack, unsigned func)
{
    rawtrace_event(EV_STACK, 2, U(stack), U(1));
    rawtrace_number(&rawtrace_batch, 100 * stack);
    rawtrace_number(&rawtrace_batch, func);
    rawtrace_number(&rawtrace_batch, 3);
    rawtrace_number(&rawtrace_batch, 10);
}

/* The runtime's sweeper yields after each piece; that is nobody's polling. */
static void test_yields(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(1, "main.poll");
    rawtrace_string(2, "runtime.bgsweep");
    rawtrace_string(3, "a.go");
    rawtrace_string(4, "runtime.Gosched");
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    add_stack(7, 1);
    add_stack(8, 2);
    rawtrace_end_batch();
    rawtrace_begin_running(200);
    for (unsigned i = 0; i < 5; i++) {
        EVENT3(GO_STOP, 10, 4, i < 3 ? 8 : 7);
        EVENT3(GO_START, 10, 1, 1 + i);
    }
    rawtrace_end_batch();
    rawtrace_end_generation();
    sum_up();
    assert_int_equal(sums.scheduler.yields, 2);
    assert_int_equal(sums.yields.n, 1);
    assert_string_equal(sums.yields.list[0].at.func, "main.poll");
    summary_done(&sums);
}

/* A stack with the strings' functions 1 and, outside of it, 2. */
static void strings_and_stacks(const char *inner, const char *outer)
{
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(1, inner);
    rawtrace_string(2, outer);
    rawtrace_string(3, "a.go");
    rawtrace_string(4, "sleep");
    rawtrace_string(5, "chan receive");
    rawtrace_string(6, "network");
    rawtrace_string(8, "preempted");
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    add_stack(7, 1);
    add_stack(8, 2);
    rawtrace_end_batch();
}

/* Goroutine 1 waits for this reason and is woken by the runtime, again and again; `calls` syscalls
 * between two waits. */
static void look_again(unsigned reason, unsigned calls, unsigned times)
{
    unsigned seq = 1, call = 0;

    rawtrace_begin(26);
    rawtrace_sync();
    strings_and_stacks("main.poll", "main.other");
    rawtrace_begin_running(200);
    for (unsigned i = 0; i < times; i++) {
        EVENT3(GO_BLOCK, 10, reason, 7);
        EVENT4(GO_UNBLOCK, 10, 1, seq++, 0);
        EVENT3(GO_START, 10, 1, seq++);
        for (unsigned j = 0; j < calls; j++) {
            EVENT3(GO_SYSCALL_BEGIN, 1, ++call, 8);
            EVENT1(GO_SYSCALL_END, 1);
        }
    }
    rawtrace_end_batch();
    rawtrace_end_generation();
    sum_up();
}

/* Who sleeps, looks and sleeps again; who reads with a deadline does so by one call each time. Two
 * calls are one that brought something and one that did not. */
static void test_vain(void **state)
{
    (void)state;
    look_again(4, 0, 50);
    assert_int_equal(sums.vain.count, 49);
    assert_string_equal(sums.vain.list[0].at.func, "main.poll");
    summary_done(&sums);
    look_again(5, 0, 50);
    assert_int_equal(sums.vain.count, 49);
    summary_done(&sums);
    look_again(4, 1, 50);
    assert_int_equal(sums.vain.count, 0);
    summary_done(&sums);
    look_again(6, 1, 50);
    assert_int_equal(sums.vain.count, 49);
    summary_done(&sums);
    look_again(6, 2, 50);
    assert_int_equal(sums.vain.count, 0);
    summary_done(&sums);
}

/* Where a function is interrupted: in a loop that asks, or elsewhere. At last it waits, so many times. */
static void interrupt(const char *inner, unsigned asking, unsigned other, unsigned waits)
{
    unsigned seq = asking + other;

    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(1, inner);
    rawtrace_string(2, "main.loop");
    rawtrace_string(3, "a.go");
    rawtrace_string(4, "preempted");
    rawtrace_string(5, "select");
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    rawtrace_event(EV_STACK, 2, U(7), U(2));
    for (unsigned func = 1; func <= 2; func++) {
        rawtrace_number(&rawtrace_batch, 700 + func);
        rawtrace_number(&rawtrace_batch, func);
        rawtrace_number(&rawtrace_batch, 3);
        rawtrace_number(&rawtrace_batch, 10);
    }
    add_stack(8, 2);
    rawtrace_end_batch();
    rawtrace_begin_running(200);
    for (unsigned i = 0; i < asking + other; i++) {
        EVENT3(GO_STOP, 10000000, 4, i < asking ? 7 : 8);
        EVENT3(GO_START, 10, 1, 1 + i);
    }
    for (unsigned i = 0; i < waits; i++) {
        EVENT3(GO_BLOCK, 10, 5, 7);
        EVENT4(GO_UNBLOCK, 10, 1, ++seq, 0);
        EVENT3(GO_START, 10, 1, ++seq);
    }
    rawtrace_end_batch();
    rawtrace_end_generation();
    sum_up();
}

static void test_asking(void **state)
{
    (void)state;
    interrupt("runtime.selectnbrecv", 8, 2, 0);
    assert_int_equal(sums.asking.count, 8 + 2);
    assert_true(sums.asking.total > 9 * INT64_C(10000000) / 2);
    summary_done(&sums);
    interrupt("runtime.selectnbrecv", 5, 5, 0);
    assert_int_equal(sums.asking.count, 0);
    summary_done(&sums);
    interrupt("sync/atomic.(*Int64).Load", 10, 0, 0);
    assert_int_equal(sums.asking.count, 10);
    summary_done(&sums);
    interrupt("sync/atomic.(*Int64).Add", 10, 0, 0); /* counts, and asks for nothing */
    assert_int_equal(sums.asking.count, 0);
    summary_done(&sums);
    interrupt("runtime.selectgo", 10, 0, 0);
    assert_int_equal(sums.asking.count, 10);
    summary_done(&sums);
    interrupt("runtime.selectgo", 10, 0, 1);
    assert_int_equal(sums.asking.count, 0);
    summary_done(&sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth), cmocka_unit_test(test_none_created),
        cmocka_unit_test(test_yields), cmocka_unit_test(test_vain),
        cmocka_unit_test(test_asking),
    };

    return cmocka_run_group_tests_name("summary_growth", tests, NULL, NULL);
}
