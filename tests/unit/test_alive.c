/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/goroutines/alive.h"
#include "trace/reader/specs.h"

static struct alive *alive;
static struct alive_result result;

static int teardown(void **state)
{
    (void)state;
    alive_free(alive);
    alive = NULL;
    return 0;
}

static void look(int64_t at)
{
    struct gotrace *t = rawtrace_open(rawtrace.n, NULL);

    alive_free(alive);
    assert_int_equal(alive_new(at, &alive), 0);
    assert_int_equal(alive_run(alive, t), 0);
    gotrace_close(t);
    result = alive_result(alive);
}

static void begin(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(1000);
}

static void end(void)
{
    rawtrace_end_batch();
    rawtrace_end_generation();
}

/* 1 is older, and creates 2 and 3; 3 ends, 2 waits. */
static void put_three(void)
{
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT4(GO_CREATE, 200, 3, 7, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT3(GO_START, 200, 3, 1);
    EVENT1(GO_DESTROY, 200);
    EVENT3(GO_START, 200, 2, 1);
    EVENT3(GO_BLOCK, 200, 4, 7);
}

/* The trace ends with a SYNC event, one nanosecond after the last that was written. */
static void test_end(void **state)
{
    const struct whereabouts_group *g;

    (void)state;
    begin();
    put_three();
    end();
    look(ALIVE_END);
    assert_true(result.reached);
    assert_int_equal(result.at, result.window);
    assert_int_equal(result.at_start, 1);
    assert_int_equal(result.created, 2);
    assert_int_equal(result.ended, 1);
    assert_int_equal(result.count, 2);
    /* Both wait at the same place, but the first ran there at the beginning. */
    assert_int_equal(result.n, 2);
    g = &result.groups[0];
    assert_int_equal(g->state, GOTRACE_GO_WAITING);
    assert_string_equal(g->reason, "sync");
    assert_string_equal(g->name, "main.main");
    assert_string_equal(g->at.func, "main.inner");
    assert_int_equal(g->count, 2);
    assert_int_equal(g->older, 1);
    assert_int_equal(g->at_start, 0);
    assert_int_equal(g->longest, 401);
    assert_int_equal(g->n_creators, 1);
    assert_int_equal(g->creators[0].count, 1);
    assert_int_equal(g->creators[0].oldest, 601);
    assert_int_equal(g->creators[0].newest, 601);
    assert_string_equal(g->creators[0].at.func, "main.inner");
    assert_int_equal(result.groups[1].state, GOTRACE_GO_RUNNING);
    assert_int_equal(result.groups[1].count, 0);
    assert_int_equal(result.groups[1].at_start, 1);
}

/* Before an event and at it; behind the trace's end nothing is known. */
static void test_moments(void **state)
{
    int64_t window;

    (void)state;
    begin();
    put_three();
    end();
    look(ALIVE_END);
    window = result.window;
    look(window - 601); /* 2 is created then */
    assert_int_equal(result.count, 2);
    look(window - 602);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.at, window - 602);
    look(window - 300);
    assert_int_equal(result.count, 3);
    assert_int_equal(result.groups[0].count, 1);
    look(window);
    assert_true(result.reached);
    assert_int_equal(result.count, 2);
    look(window + 1);
    assert_false(result.reached);
}

/* An older one of which the trace says something only later was there before, at the same place. It
 * has no reason; the one that comes later has the place's. */
static void test_late_news(void **state)
{
    (void)state;
    begin();
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT5(GO_STATUS_STACK, 200, 2, -1, G_WAITING, 7);
    end();
    look(ALIVE_END);
    look(result.window - 50);
    assert_int_equal(result.count, 2);
    assert_int_equal(result.at_start, 2);
    assert_int_equal(result.groups[0].count, 2);
    assert_string_equal(result.groups[0].reason, "sync");
    assert_int_equal(result.groups[0].older, 2);
    assert_int_equal(result.groups[0].at_start, 1);
    assert_int_equal(result.groups[0].longest, result.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_end, teardown),
        cmocka_unit_test_teardown(test_moments, teardown),
        cmocka_unit_test_teardown(test_late_news, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
