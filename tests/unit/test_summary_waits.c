/* SPDX-License-Identifier: Apache-2.0 */

/* Who wakes those that wait in requests, of traces made by hand. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/rawtrace.h"
#include "trace/reader/specs.h"
#include "trace/summary/summary.h"

#define MS UINT64_C(2000000) /* units of the trace's clock */

/* Stacks: 1 waits in a request; in 2 and 3 others are woken; 4 waits for a mutex; 5 writes a file to
 * its disk. */
#define N_STACKS 5

static void tables(void)
{
    static const char *const names[] = {"a.go",
                                        "select",
                                        "runtime.selectgo",
                                        "main.(*actor).call",
                                        "net/http.HandlerFunc.ServeHTTP",
                                        "main.(*actor).answer",
                                        "main.(*actor).next",
                                        "sync.(*Mutex).Lock",
                                        "main.(*journal).append",
                                        "syscall.Fsync",
                                        "main.(*journal).write"};
    static const unsigned stacks[N_STACKS][3] = {
        {3, 4, 5}, {3, 6, 6}, {3, 7, 7}, {8, 9, 9}, {10, 11, 9}};

    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        rawtrace_string(i + 1, names[i]);
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    for (unsigned i = 0; i < N_STACKS; i++) {
        rawtrace_event(EV_STACK, 2, U(i + 1), U(3));
        for (unsigned j = 0; j < 3; j++) {
            rawtrace_number(&rawtrace_batch, 10 * i + j + 1);
            rawtrace_number(&rawtrace_batch, stacks[i][j]);
            rawtrace_number(&rawtrace_batch, 1);
            rawtrace_number(&rawtrace_batch, i + 1);
        }
    }
    rawtrace_end_batch();
}

#define WAITERS 40

/* Goroutine 1 wakes forty that wait in requests, so many in a turn that others follow after `pause`,
 * by turns in these stacks. Returns how many were woken in bursts. */
static unsigned wake(unsigned at_once, uint64_t pause, unsigned stack, unsigned other)
{
    struct summary sums;
    struct gotrace *t;
    uint64_t ret;

    rawtrace_begin(26);
    rawtrace_sync();
    tables();
    rawtrace_begin_running(200);
    for (unsigned i = 0; i < WAITERS; i++)
        EVENT4(GO_CREATE, 1, i + 2, 2, 2);
    EVENT3(GO_BLOCK, 10, 2, 2);
    for (unsigned i = 0; i < WAITERS; i++) {
        EVENT3(GO_START, 10, i + 2, 1);
        EVENT3(GO_BLOCK, 10, 2, 1);
    }
    EVENT4(GO_UNBLOCK, 10, 1, 1, 0);
    EVENT3(GO_START, 10, 1, 2);
    for (unsigned i = 0; i < WAITERS; i++)
        EVENT4(GO_UNBLOCK, i % at_once == 0 ? pause : 100, i + 2, 2, i % 2 ? other : stack);
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(summary_run(t, &sums), 0);
    assert_true(sums.complete);
    gotrace_close(t);
    assert_int_equal(sums.inside.select.count, WAITERS);
    ret = sums.inside.select_bursts;
    summary_done(&sums);
    return (unsigned)ret;
}

/* Whom one wakes at the same place, right after another one, is told the same. */
static void test_bursts(void **state)
{
    (void)state;
    assert_int_equal(wake(WAITERS, 5 * MS, 2, 2), WAITERS - 1);
    assert_int_equal(wake(8, 5 * MS, 2, 2), WAITERS - WAITERS / 8);
    assert_int_equal(wake(1, 5 * MS, 2, 2), 0);
    /* Two for each of them. */
    assert_int_equal(wake(WAITERS, 5 * MS, 2, 3), WAITERS - 2);
}

/* A mailbox has room as its owner takes the next message; and one is answered. */
static void test_mailbox(void **state)
{
    (void)state;
    assert_int_equal(wake(2, 5 * MS, 2, 3), 0);
    assert_int_equal(wake(2, 5 * MS, 2, 2), WAITERS / 2);
}

/* Twenty wait for a mutex; each holds it for 900 microseconds and gives it to the next, and of these
 * so many go into a syscall; into that of the first, `first`. Returns the share of all that time that
 * was waited for holders in a syscall. */
static double hold(uint64_t first, uint64_t called)
{
    const uint64_t all = 9 * MS / 10;
    double waited = 0;
    struct summary sums;
    struct gotrace *t;
    double ret;

    rawtrace_begin(26);
    rawtrace_sync();
    tables();
    rawtrace_begin_running(200);
    for (unsigned i = 0; i < 20; i++)
        EVENT4(GO_CREATE, 1, i + 2, 2, 2);
    EVENT3(GO_BLOCK, 10, 2, 2);
    for (unsigned i = 0; i < 20; i++) {
        EVENT3(GO_START, 10, i + 2, 1);
        EVENT3(GO_BLOCK, 10, 2, 4);
    }
    EVENT4(GO_UNBLOCK, 5 * MS, 2, 2, 0);
    for (unsigned i = 0; i < 20; i++) {
        EVENT3(GO_START, 10, i + 2, 3);
        EVENT3(GO_SYSCALL_BEGIN, all - called, i + 1, 5);
        EVENT1(GO_SYSCALL_END, i == 0 ? first : called);
        if (i + 1 < 20)
            EVENT4(GO_UNBLOCK, 10, i + 3, 2, 2);
        EVENT3(GO_BLOCK, 10, 2, 2);
    }
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(summary_run(t, &sums), 0);
    assert_true(sums.complete);
    gotrace_close(t);
    for (unsigned i = 0; i < SUMMARY_N_BEFORE; i++)
        waited += (double)sums.wakers.lock[i];
    ret = (double)sums.wakers.lock[SUMMARY_IN_SYSCALL] / waited;
    if (ret > 0.99)
        assert_string_equal(sums.wakers.list[0].call, "syscall.Fsync");
    summary_done(&sums);
    return ret;
}

/* A mutex is held over syscalls, each too short to be remembered by itself. */
static void test_held_over_short_syscalls(void **state)
{
    (void)state;
    assert_true(hold(MS * 8 / 10, MS * 8 / 10) > 0.99);
    assert_true(hold(MS * 3 / 10, MS * 3 / 10) < 0.01); /* not for half of the time */
    assert_true(hold(MS / 100, MS / 100) < 0.01);
}

/* All in the queue wait for the first, though the last before each is the one that wakes it. */
static void test_one_holds_up_the_queue(void **state)
{
    (void)state;
    assert_true(hold(MS * 50, MS / 100) > 0.7);
    assert_true(hold(MS * 5, MS / 100) < 0.4);
}

#define ASKED 8

/* Each of some requests waits for goroutine 1, which then makes a call of 5 ms or not, and answers it;
 * another one waits to the end. Returns how many waits are known to be for an answer. */
static unsigned ask(bool wakes, bool works)
{
    struct summary sums;
    struct gotrace *t;
    uint64_t ret;

    rawtrace_begin(26);
    rawtrace_sync();
    tables();
    rawtrace_begin_running(200);
    for (unsigned i = 0; i <= ASKED; i++)
        EVENT4(GO_CREATE, 1, i + 2, 2, 2);
    for (unsigned i = 0; i < ASKED; i++) {
        EVENT3(GO_BLOCK, 1, 2, 2);
        EVENT3(GO_START, 5 * MS, i + 2, 1);
        if (wakes)
            EVENT4(GO_UNBLOCK, 1, 1, 2 * i + 1, 1);
        EVENT3(GO_BLOCK, 1, 2, 1);
        if (!wakes)
            EVENT4(GO_UNBLOCK, 1, 1, 2 * i + 1, 0);
        EVENT3(GO_START, 1, 1, 2 * i + 2);
        if (works) {
            EVENT3(GO_SYSCALL_BEGIN, 1, i + 1, 3);
            EVENT1(GO_SYSCALL_END, 5 * MS);
        } else {
            EVENT2(HEAP_ALLOC, 5 * MS, 1);
        }
        EVENT4(GO_UNBLOCK, 1, i + 2, 2, 2);
    }
    EVENT3(GO_BLOCK, 1, 2, 2);
    EVENT3(GO_START, 1, ASKED + 2, 1);
    EVENT3(GO_BLOCK, 1, 2, 1);
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(summary_run(t, &sums), 0);
    assert_true(sums.complete);
    gotrace_close(t);
    assert_int_equal(sums.inside.select.count + sums.inside.answers.whole, ASKED);
    ret = sums.inside.answers.count;
    summary_done(&sums);
    return (unsigned)ret;
}

/* Who asks and is answered after some work waits for that; and so does who still waits there. */
static void test_answers(void **state)
{
    (void)state;
    assert_int_equal(ask(true, true), ASKED + 1);
    assert_int_equal(ask(false, true), 0);
    assert_int_equal(ask(true, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bursts),
        cmocka_unit_test(test_mailbox),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_held_over_short_syscalls),
        cmocka_unit_test(test_one_holds_up_the_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
