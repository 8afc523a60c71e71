/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/blockers/blockers.h"
#include "trace/reader/specs.h"

static struct blockers *blockers;
static struct blockers_result result;

static int teardown(void **state)
{
    (void)state;
    blockers_free(blockers);
    blockers = NULL;
    return 0;
}

/* Reads the trace as often as need be. Returns why it broke off, or 0. */
static int sum_up(size_t n)
{
    int r = BLOCKERS_AGAIN, broken = 0;

    blockers_free(blockers);
    assert_int_equal(blockers_new(&blockers), 0);
    while (r == BLOCKERS_AGAIN) {
        struct gotrace *t = rawtrace_open(n, NULL);

        r = blockers_run(blockers, t, &broken);
        gotrace_close(t);
    }
    assert_int_equal(r, BLOCKERS_DONE);
    result = blockers_result(blockers);
    return broken;
}

static void begin(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(11, "sleep");
    rawtrace_string(12, "sync.(*Mutex).Lock");
    rawtrace_string(13, "network");
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    rawtrace_event(EV_STACK, 2, U(8), U(1)); /* a mutex */
    rawtrace_number(&rawtrace_batch, 300);
    rawtrace_number(&rawtrace_batch, 12);
    rawtrace_number(&rawtrace_batch, 3);
    rawtrace_number(&rawtrace_batch, 50);
    rawtrace_end_batch();
    rawtrace_begin_running(1000);
}

static void end(void)
{
    rawtrace_end_batch();
    rawtrace_end_generation();
}

static int64_t did(const struct holds_blocker *b, enum holds_kind kind)
{
    int64_t ns = 0;

    for (size_t i = 0; i < b->n_did; i++)
        ns += b->did[i].kind == kind ? b->did[i].ns : 0;
    return ns;
}

/* Goroutine 1 waits for 2, which runs, sleeps and runs again before it wakes it. */
static void put_sleeper(void)
{
    EVENT4(GO_CREATE, 100, 2, 7, 7);
    EVENT3(GO_BLOCK, 100, 4, 7);
    EVENT3(GO_START, 20, 2, 1);
    EVENT3(GO_BLOCK, 40, 11, 7);
    EVENT4(GO_UNBLOCK, 200, 2, 2, 0);
    EVENT3(GO_START, 20, 2, 3);
    EVENT4(GO_UNBLOCK, 60, 1, 1, 7);
}

static void test_meanwhile(void **state)
{
    const struct holds_blocker *b;

    (void)state;
    begin();
    put_sleeper();
    end();
    assert_int_equal(sum_up(rawtrace.n), 0);
    assert_int_equal(result.waits.count, 1);
    assert_int_equal(result.waits.total, 170);
    assert_int_equal(result.nobody.count, 0);
    assert_int_equal(result.untold.count, 0);
    assert_int_equal(result.n, 1);
    b = &result.list[0];
    assert_int_equal(b->count, 1);
    assert_int_equal(b->total, 170);
    assert_int_equal(b->held, 170);
    assert_int_equal(b->longest, 170);
    assert_string_equal(b->reason, "sync");
    assert_string_equal(b->name, "main.main");
    assert_string_equal(b->waiter.func, "main.inner");
    assert_int_equal(did(b, HOLDS_RAN), 50);
    assert_int_equal(did(b, HOLDS_SLEPT), 100);
    assert_int_equal(did(b, HOLDS_RUNNABLE), 20);
}

/* What no goroutine ended; and a sleep is no wait for anybody. */
static void test_nobody(void **state)
{
    (void)state;
    begin();
    EVENT3(GO_BLOCK, 100, 4, 7);
    EVENT4(GO_UNBLOCK, 100, 1, 1, 0);
    EVENT3(GO_START, 100, 1, 2);
    EVENT3(GO_BLOCK, 100, 11, 7);
    EVENT4(GO_UNBLOCK, 100, 1, 3, 0);
    EVENT3(GO_START, 100, 1, 4);
    end();
    assert_int_equal(sum_up(rawtrace.n), 0);
    assert_int_equal(result.waits.count, 1);
    assert_int_equal(result.nobody.count, 1);
    assert_int_equal(result.nobody.total, 50);
    assert_int_equal(result.n, 0);
}

/* Two that one goroutine wakes together were kept waiting by one hold, from the first on. */
static void test_both_at_once(void **state)
{
    const struct holds_blocker *b;

    (void)state;
    begin();
    EVENT4(GO_CREATE, 100, 2, 7, 7);
    EVENT4(GO_CREATE, 100, 3, 7, 7);
    EVENT3(GO_BLOCK, 100, 4, 7); /* 1 waits first */
    EVENT3(GO_START, 100, 2, 1);
    EVENT3(GO_BLOCK, 100, 4, 7); /* then 2 */
    EVENT3(GO_START, 100, 3, 1);
    EVENT4(GO_UNBLOCK, 100, 2, 2, 7);
    EVENT4(GO_UNBLOCK, 20, 1, 1, 7);
    end();
    assert_int_equal(sum_up(rawtrace.n), 0);
    assert_int_equal(result.n, 1);
    b = &result.list[0];
    assert_int_equal(b->count, 2);
    assert_int_equal(b->holds, 1);
    assert_int_equal(b->total, 100 + 210);
    assert_int_equal(b->held, 210);
    assert_int_equal(did(b, HOLDS_RUNNABLE), 150);
    assert_int_equal(did(b, HOLDS_RAN), 60);
}

/* 1 has a mutex for which 2 waits, then 3. Woken, 2 has it, and keeps 3 waiting from then on. */
static void check_queue(unsigned stack, enum stack_class class)
{
    const struct holds_blocker *b;

    begin();
    EVENT4(GO_CREATE, 100, 2, 7, 7);
    EVENT4(GO_CREATE, 100, 3, 7, 7);
    EVENT3(GO_BLOCK, 100, 11, 7); /* 1 sleeps */
    EVENT3(GO_START, 100, 2, 1);
    EVENT3(GO_BLOCK, 100, 4, stack);
    EVENT3(GO_START, 100, 3, 1);
    EVENT3(GO_BLOCK, 100, 4, stack);
    EVENT4(GO_UNBLOCK, 100, 1, 1, 0);
    EVENT3(GO_START, 100, 1, 2);
    EVENT4(GO_UNBLOCK, 100, 2, 2, 7);
    EVENT3(GO_BLOCK, 100, 11, 7);
    EVENT3(GO_START, 100, 2, 3);
    EVENT4(GO_UNBLOCK, 100, 3, 2, 7);
    end();
    assert_int_equal(sum_up(rawtrace.n), 0);
    assert_int_equal(result.n, 1); /* all the same places */
    b = &result.list[0];
    assert_int_equal(b->class, class);
    assert_int_equal(b->count, 2);
    assert_int_equal(b->total, 250 + 300);
    assert_int_equal(b->holds, 2);
    assert_int_equal(b->held, 250 + 150);
    assert_int_equal(b->longest, 250);
    assert_int_equal(did(b, HOLDS_SLEPT), 150);
    assert_int_equal(did(b, HOLDS_RUNNABLE), 50 + 100);
    assert_int_equal(did(b, HOLDS_RAN), 50 + 50);
}

static void test_queue_for_a_mutex(void **state)
{
    (void)state;
    check_queue(8, STACK_LOCK);
}

/* The same of whatever 2 and 3 wait for at one place. */
static void test_queue_at_one_place(void **state)
{
    (void)state;
    check_queue(7, STACK_OTHER);
}

static void test_broken_off(void **state)
{
    (void)state;
    begin();
    put_sleeper();
    end();
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_batch(5, 5000);
    EVENT3(PROC_STATUS, 1, 0, P_RUNNING);
    EVENT4(GO_STATUS, 1, 2, 5, G_RUNNING);
    rawtrace_end_batch();
    assert_int_equal(sum_up(rawtrace.n - 3), -ENODATA);
    assert_int_equal(result.waits.count, 1);
    assert_int_equal(result.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_meanwhile, teardown),
        cmocka_unit_test_teardown(test_nobody, teardown),
        cmocka_unit_test_teardown(test_both_at_once, teardown),
        cmocka_unit_test_teardown(test_queue_for_a_mutex, teardown),
        cmocka_unit_test_teardown(test_queue_at_one_place, teardown),
        cmocka_unit_test_teardown(test_broken_off, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
