/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/goroutines/goroutines.h"
#include "trace/reader/specs.h"

/* All of them, the one that was there longest first. */
static const struct goroutines_options all = {.keep = 100, .order = {.field = TIMES_TOTAL}};

static struct goroutines *goroutines;
static struct goroutines_result result;

static int teardown(void **state)
{
    (void)state;
    goroutines_free(goroutines);
    goroutines = NULL;
    return 0;
}

static void sum_up(const struct goroutines_options *options, int code)
{
    struct gotrace *t = rawtrace_open(rawtrace.n, NULL);

    goroutines_free(goroutines);
    assert_int_equal(goroutines_new(options, &goroutines), 0);
    assert_int_equal(goroutines_run(goroutines, t), code);
    gotrace_close(t);
    result = goroutines_result(goroutines);
}

/* When the nth event of this type is; the first is 0. */
static int64_t at(unsigned type, unsigned nth)
{
    struct gotrace *t = rawtrace_open(rawtrace.n, NULL);
    const struct gotrace_event *e;
    int64_t time = 0;
    bool found = false;

    while (!found && gotrace_next(t, &e) > 0) {
        found = e->type == type && nth-- == 0;
        time = e->time;
    }
    gotrace_close(t);
    assert_true(found);
    return time;
}

#define AT(type, nth) at(GOTRACE_EV_##type, nth)

static const struct life *goroutine(int64_t g)
{
    for (size_t i = 0; i < result.worst->n; i++) {
        if (result.worst->list[i].life.g == g)
            return &result.worst->list[i].life;
    }
    fail();
    return NULL;
}

static int64_t ns_of(int64_t g, enum times_field field)
{
    return goroutine(g)->times.ns[field];
}

/* How long the goroutine blocked for a reason, or was in a range. */
static int64_t share_of(int64_t g, enum column_kind kind, const char *text)
{
    const struct times *t = &goroutine(g)->times;

    for (uint32_t i = t->shares; i != SHARES_NONE; i = result.shares->list[i].next) {
        const struct share *share = &result.shares->list[i];
        const struct column *c = &result.columns->list[share->column];

        if (c->kind == kind && strcmp(c->text, text) == 0)
            return share->ns;
    }
    return 0;
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

/* Goroutine 1 blocks for 200 ns and is runnable for 200 ns; 2 runs meanwhile. */
static void put_turns(void)
{
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT3(GO_START, 200, 2, 1);
    EVENT4(GO_UNBLOCK, 200, 1, 1, 7);
    EVENT3(GO_STOP, 200, 4, 7);
    EVENT3(GO_START, 200, 1, 2);
}

static void test_states(void **state)
{
    int64_t first, last;

    (void)state;
    begin();
    put_turns();
    end();
    sum_up(&all, 0);
    first = result.start;
    last = first + result.window;
    assert_true(result.complete);
    assert_int_equal(result.count, 2);
    assert_int_equal(ns_of(1, TIMES_EXEC), AT(GO_BLOCK, 0) - first + last - AT(GO_START, 1));
    assert_int_equal(ns_of(1, TIMES_BLOCK), 200);
    assert_int_equal(share_of(1, COLUMN_BLOCK, "sync"), 200);
    assert_int_equal(ns_of(1, TIMES_SCHED_WAIT), 200);
    assert_int_equal(ns_of(1, TIMES_TOTAL), last - first);
    assert_int_equal(ns_of(1, TIMES_UNKNOWN), 0);
    assert_int_equal(goroutine(1)->created, first);
    assert_int_equal(ns_of(2, TIMES_EXEC), 200);
    assert_int_equal(ns_of(2, TIMES_SCHED_WAIT), 200 + last - AT(GO_STOP, 0));
    assert_int_equal(goroutine(2)->created, AT(GO_CREATE, 0));
    assert_int_equal(goroutine(2)->started, AT(GO_START, 0));
    assert_int_equal(goroutine(2)->ended, 0);
    assert_int_equal(result.exec, ns_of(1, TIMES_EXEC) + 200);
}

static void test_groups(void **state)
{
    const struct group *group;

    (void)state;
    begin();
    put_turns();
    rawtrace_end_batch();
    rawtrace_begin_batch(6, 200);
    EVENT4(GO_STATUS, 1, 3, UINT64_MAX, G_WAITING);
    end();
    sum_up(&all, 0);
    assert_int_equal(result.groups->n, 2);
    group = &result.groups->list[0];
    assert_string_equal(texts_get(result.texts, group->name), "main.main");
    assert_int_equal(group->count, 2);
    assert_int_equal(group->times.ns[TIMES_BLOCK], 200);
    assert_int_equal(group->times.ns[TIMES_EXEC], result.exec);
    group = &result.groups->list[1];
    assert_string_equal(texts_get(result.texts, group->name), "");
    assert_int_equal(group->count, 1);
    /* It has waited since the trace's beginning, nobody knows for what. */
    assert_int_equal(share_of(3, COLUMN_BLOCK, ""), result.window);
    assert_int_equal(group->times.ns[TIMES_BLOCK], result.window);
}

static void test_ended(void **state)
{
    (void)state;
    begin();
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT3(GO_START, 200, 2, 1);
    EVENT1(GO_DESTROY, 500);
    end();
    sum_up(&all, 0);
    assert_int_equal(result.count, 2);
    assert_int_equal(goroutine(2)->ended, AT(GO_DESTROY, 0));
    assert_int_equal(ns_of(2, TIMES_EXEC), 250);
    assert_int_equal(ns_of(2, TIMES_TOTAL), 100 + 100 + 250);
}

static void put_strings(unsigned n, const char *form)
{
    char text[64];

    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    for (unsigned i = 0; i < n; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof(text), form, i);
#pragma GCC diagnostic pop
        rawtrace_string(100 + i, text);
    }
    rawtrace_end_batch();
}

/* Blocked for ever, it has ended, and nothing of it counts any more. */
static void test_forever(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    put_strings(1, "forever");
    rawtrace_begin_running(200);
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT3(GO_BLOCK, 200, 100, 7);
    EVENT3(GO_START, 200, 2, 1);
    end();
    sum_up(&all, 0);
    assert_int_equal(goroutine(1)->ended, AT(GO_BLOCK, 0));
    assert_int_equal(ns_of(1, TIMES_TOTAL), AT(GO_BLOCK, 0) - result.start);
    assert_int_equal(ns_of(1, TIMES_BLOCK), 0);
}

/* The P of a syscall is taken away after 200 ns; the syscall goes on for 300 ns, or to the end. */
static void put_syscall(bool ends)
{
    begin();
    EVENT3(GO_SYSCALL_BEGIN, 200, 1, 7);
    rawtrace_end_batch();
    rawtrace_begin_batch(6, 802);
    EVENT4(PROC_STEAL, 0, 0, 2, 5);
    rawtrace_end_batch();
    rawtrace_begin_batch(5, 1402);
    if (ends)
        EVENT1(GO_SYSCALL_END_BLOCKED, 0);
    end();
}

static void test_syscall(void **state)
{
    int64_t last;

    (void)state;
    put_syscall(true);
    sum_up(&all, 0);
    assert_int_equal(ns_of(1, TIMES_SYSCALL), AT(PROC_STEAL, 0) - AT(GO_SYSCALL_BEGIN, 0));
    assert_int_equal(ns_of(1, TIMES_SYSCALL_BLOCK),
                     AT(GO_SYSCALL_END_BLOCKED, 0) - AT(PROC_STEAL, 0));
    assert_int_equal(ns_of(1, TIMES_SYSCALL_BLOCK), 300);

    put_syscall(false);
    sum_up(&all, 0);
    last = result.start + result.window;
    assert_int_equal(ns_of(1, TIMES_SYSCALL), last - AT(GO_SYSCALL_BEGIN, 0));
    assert_int_equal(ns_of(1, TIMES_SYSCALL_BLOCK), 0);
    assert_int_equal(ns_of(1, TIMES_SCHED_WAIT), last - AT(PROC_STEAL, 0));
}

/* Of the calls that a thread of C makes into Go, one after the other, the last counts. */
static void test_reused(void **state)
{
    (void)state;
    begin();
    rawtrace_end_batch();
    rawtrace_begin_batch(6, 300);
    EVENT2(GO_CREATE_SYSCALL, 100, 9);
    EVENT1(GO_DESTROY_SYSCALL, 1000);
    EVENT2(GO_CREATE_SYSCALL, 100, 9);
    EVENT1(GO_DESTROY_SYSCALL, 600);
    end();
    sum_up(&all, 0);
    assert_int_equal(result.count, 2);
    assert_int_equal(ns_of(9, TIMES_SYSCALL), 300);
    assert_int_equal(ns_of(9, TIMES_TOTAL), 300);
}

static void test_ranges(void **state)
{
    (void)state;
    begin();
    EVENT2(GC_MARK_ASSIST_BEGIN, 200, 7);
    EVENT1(GC_MARK_ASSIST_END, 100);
    EVENT2(GC_SWEEP_BEGIN, 200, 7);
    EVENT3(GC_SWEEP_END, 200, 8192, 0);
    EVENT3(STW_BEGIN, 200, 4, 7);
    EVENT1(STW_END, 300);
    EVENT2(GC_MARK_ASSIST_BEGIN, 200, 7);
    EVENT2(HEAP_ALLOC, 700, 1);
    end();
    sum_up(&all, 0);
    assert_int_equal(ns_of(1, TIMES_ASSIST),
                     50 + result.start + result.window - AT(GC_MARK_ASSIST_BEGIN, 1));
    assert_int_equal(share_of(1, COLUMN_ASSIST, ""), ns_of(1, TIMES_ASSIST));
    assert_int_equal(ns_of(1, TIMES_SWEEP), 100);
    assert_int_equal(ns_of(1, TIMES_STW), 150);
    assert_int_equal(share_of(1, COLUMN_STW, "sync"), 150);
    assert_int_equal(ns_of(1, TIMES_EXEC), ns_of(1, TIMES_TOTAL));
}

/* One sweep ends on another goroutine than it began on: it is nobody's. */
static void test_sweep_of_two(void **state)
{
    (void)state;
    begin();
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT2(GC_SWEEP_BEGIN, 200, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT3(GO_START, 200, 2, 1);
    EVENT3(GC_SWEEP_END, 200, 8192, 0);
    end();
    sum_up(&all, 0);
    assert_int_equal(ns_of(2, TIMES_SWEEP), 0);
    /* As Go has it, for the one that began it goes on to the end. */
    assert_int_equal(ns_of(1, TIMES_SWEEP), result.start + result.window - AT(GC_SWEEP_BEGIN, 0));
}

/* Goroutines 10, 11, … run for 50, 100, … ns and end. */
static void put_many(unsigned n)
{
    begin();
    for (unsigned i = 0; i < n; i++)
        EVENT4(GO_CREATE, 2, 10 + i, 7, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    for (unsigned i = 0; i < n; i++) {
        EVENT3(GO_START, 2, 10 + i, 1);
        EVENT1(GO_DESTROY, 100 * (i + 1));
    }
    end();
}

static void test_worst(void **state)
{
    struct goroutines_options o = {.keep = 3, .order = {.field = TIMES_EXEC}, .name = "main."};

    (void)state;
    put_many(20);
    sum_up(&o, 0);
    assert_int_equal(result.count, 21);
    assert_int_equal(result.matches, 21);
    assert_int_equal(result.worst->n, 3);
    assert_int_equal(result.worst->left_out, 18);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(result.worst->list[i].life.g, 29 - i);
        assert_int_equal(result.worst->list[i].life.times.ns[TIMES_EXEC], 50 * (20 - i));
    }
    o.order.reverse = true;
    sum_up(&o, 0);
    assert_int_equal(result.worst->list[0].life.g, 10);
    o.order = (struct worst_order){.reason = "sync"};
    sum_up(&o, 0);
    assert_int_equal(result.worst->list[0].life.g, 1);
    o.name = "inner";
    sum_up(&o, 0);
    assert_int_equal(result.matches, 0);
    assert_int_equal(result.worst->n, 0);
    assert_int_equal(result.count, 21);
}

/* What no memory is there for is counted; the rest is right. */
static void test_bound(void **state)
{
    struct goroutines_options o = all;

    (void)state;
    put_many(1000);
    o.max_memory = 32 << 10;
    sum_up(&o, 0);
    assert_true(result.left_out > 0);
    assert_int_equal(result.count + result.left_out, 1001);
    o.max_memory = 1;
    sum_up(&o, 0);
    assert_int_equal(result.left_out, 1001);
    assert_int_equal(result.count, 0);
    o.max_memory = 1 << 20;
    sum_up(&o, 0);
    assert_int_equal(result.left_out, 0);
    assert_int_equal(result.left_out_ns, 0);
    assert_int_equal(result.count, 1001);
}

/* Reasons beyond the bound are one. */
static void test_reasons(void **state)
{
    unsigned n = COLUMNS_MAX - COLUMNS_FIXED;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    put_strings(n + 10, "reason %u");
    rawtrace_begin_running(200);
    for (unsigned i = 0; i < n + 10; i++) {
        EVENT3(GO_BLOCK, 20, 100 + i, 7);
        EVENT4(GO_UNBLOCK, 20, 1, 2 * i + 1, 7);
        EVENT3(GO_START, 2, 1, 2 * i + 2);
    }
    end();
    sum_up(&all, 0);
    assert_int_equal(result.columns->n, COLUMNS_MAX);
    assert_int_equal(share_of(1, COLUMN_BLOCK, "reason 0"), 10);
    assert_int_equal(share_of(1, COLUMN_BLOCK, "reason 251"), 10);
    assert_int_equal(share_of(1, COLUMN_BLOCK, "(other)"), 10 * 10);
    assert_int_equal(ns_of(1, TIMES_BLOCK), 10 * (n + 10));
}

static void test_broken(void **state)
{
    (void)state;
    begin();
    put_turns();
    EVENT3(GO_START, 100, 1, 77);
    end();
    sum_up(&all, -EBADMSG);
    assert_false(result.complete);
    assert_int_equal(result.count, 2);
    assert_int_equal(ns_of(1, TIMES_BLOCK), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_states, teardown),
        cmocka_unit_test_teardown(test_groups, teardown),
        cmocka_unit_test_teardown(test_ended, teardown),
        cmocka_unit_test_teardown(test_forever, teardown),
        cmocka_unit_test_teardown(test_syscall, teardown),
        cmocka_unit_test_teardown(test_reused, teardown),
        cmocka_unit_test_teardown(test_ranges, teardown),
        cmocka_unit_test_teardown(test_sweep_of_two, teardown),
        cmocka_unit_test_teardown(test_worst, teardown),
        cmocka_unit_test_teardown(test_bound, teardown),
        cmocka_unit_test_teardown(test_reasons, teardown),
        cmocka_unit_test_teardown(test_broken, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
