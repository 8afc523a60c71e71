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
#include "trace/reader/specs.h"
#include "trace/summary/summary.h"
#include "trace/summary/tasks.h"

static struct memory mem = {.max = SIZE_MAX};
static struct tasks tasks;

static int setup(void **state)
{
    (void)state;
    tasks_init(&tasks, &mem, 20261130);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tasks_done(&tasks);
    return mem.used == 0 ? 0 : -1;
}

static struct tasks_entry *add(uint64_t id)
{
    struct tasks_entry *entry;

    assert_int_equal(tasks_add(&tasks, id, &entry), 0);
    return entry;
}

static void test_references_end_with_their_task(void **state)
{
    struct tasks_entry *entry = add(1);
    uint32_t ref = entry->ref, next;

    (void)state;
    assert_ptr_equal(tasks_get(&tasks, ref), entry);
    assert_null(tasks_get(&tasks, 0));
    tasks_remove(&tasks, entry);
    assert_null(tasks_get(&tasks, ref));
    assert_null(tasks_find(&tasks, 1));
    next = add(2)->ref; /* in the same place */
    assert_int_equal(next & (TASKS_MAX - 1), ref & (TASKS_MAX - 1));
    assert_null(tasks_get(&tasks, ref));
    assert_non_null(tasks_get(&tasks, next));
}

/* After 2^18 tasks in one place; no reference is 0. */
static void test_serials_begin_again(void **state)
{
    struct tasks_entry *entry = add(1);

    (void)state;
    for (uint32_t i = 0; i < 1u << (32 - TASKS_PLACE_BITS); i++) {
        tasks_close(entry);
        assert_true(entry->ref >> TASKS_PLACE_BITS != 0);
    }
}

static void test_bound(void **state)
{
    struct tasks_entry *entry;
    uint16_t worker;

    (void)state;
    for (uint64_t id = 1; id <= TASKS_MAX; id++)
        (void)add(id);
    assert_int_equal(tasks_add(&tasks, TASKS_MAX + 1, &entry), 0);
    assert_null(entry);
    assert_int_equal(tasks.lost, 1);
    tasks_remove(&tasks, tasks_find(&tasks, 7));
    assert_non_null(add(TASKS_MAX + 1));
    for (uint32_t i = 1; i <= TASKS_WORKERS; i++) {
        assert_int_equal(tasks_hire(&tasks, NULL, 0, &worker), 0);
        assert_int_equal(worker, i);
    }
    assert_int_equal(tasks_hire(&tasks, NULL, 0, &worker), 0);
    assert_int_equal(worker, 0);
    assert_int_equal(tasks.lost_workers, 1);
    tasks_dismiss(&tasks, 9);
    tasks_dismiss(&tasks, 5);
    assert_int_equal(tasks_hire(&tasks, NULL, 0, &worker), 0);
    assert_int_equal(worker, 5);
}

static void test_workers_are_counted(void **state)
{
    struct tasks_entry *entry = add(1);
    uint16_t worker;

    (void)state;
    assert_int_equal(tasks_hire(&tasks, NULL, 0, &worker), 0);
    tasks_work_for(&tasks, worker, entry);
    assert_int_equal(entry->n_workers, 1);
    assert_int_equal(tasks_worker(&tasks, worker)->id, 1);
    tasks_dismiss(&tasks, worker);
    assert_int_equal(entry->n_workers, 0);
}

static void test_below(void **state)
{
    uint32_t first = 0, last = 0;

    (void)state;
    for (uint64_t id = 1; id <= TASKS_DEPTH + 2; id++) {
        struct tasks_entry *entry = add(id);

        entry->above = last;
        last = entry->ref;
        first = first == 0 ? last : first;
    }
    assert_true(tasks_is_below(&tasks, tasks_get(&tasks, last), last));
    assert_false(tasks_is_below(&tasks, tasks_get(&tasks, last), first));
    assert_true(tasks_is_below(&tasks, tasks_find(&tasks, TASKS_DEPTH + 1), first));
    assert_false(tasks_is_below(&tasks, tasks_get(&tasks, first), last));
    assert_false(tasks_is_below(&tasks, NULL, last));
}

static void test_reasons(void **state)
{
    struct tasks_work work = {0};

    (void)state;
    for (uint16_t reason = 0; reason < TASKS_REASONS + 3; reason++) {
        tasks_add_wait(&work, reason, 10);
        tasks_add_wait(&work, reason, 1);
    }
    assert_int_equal(work.n_waits, TASKS_REASONS);
    assert_int_equal(work.waits[0], 11);
    assert_int_equal(work.waits[TASKS_REASONS - 1], 11);
    assert_int_equal(work.other, 33);
}

static void test_looks(void **state)
{
    (void)state;
    assert_true(tasks_may_look(&tasks, TASKS_LOOKS - 1));
    assert_false(tasks_may_look(&tasks, 2));
    assert_true(tasks_may_look(&tasks, 1));
    assert_false(tasks_may_look(&tasks, 1));
}

/* A trace of goroutine 1, which begins task 9 "request" and its child 10 "query". Logs give ids. */
static void build(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(11, "request");
    rawtrace_string(12, "query");
    rawtrace_string(13, "datadog.uint64_span_id");
    rawtrace_string(14, "\x01\x02\x01\x01\x01\x01\x01\x01");
    rawtrace_string(15, "my.trace_id");
    rawtrace_string(16, "0af7651916cd43dd");
    rawtrace_string(17, "not\x07printable");
    (void)rawtrace_end_batch();
}

static struct summary summary;

static const struct summary_outlier *sum_up(size_t n)
{
    struct gotrace *trace = rawtrace_open(rawtrace.n, NULL);

    assert_int_equal(summary_run(trace, &summary), 0);
    gotrace_close(trace);
    assert_int_equal(summary.slowest[SUMMARY_SLOW_TASKS].n, n);
    return summary.slowest[SUMMARY_SLOW_TASKS].list;
}

static void test_ids_of_spans(void **state)
{
    const struct summary_outlier *list;

    (void)state;
    build();
    rawtrace_begin_running(1000);
    EVENT5(USER_TASK_BEGIN, 100, 9, 0, 11, 7);
    EVENT5(USER_TASK_BEGIN, 100, 10, 9, 12, 7);
    EVENT5(USER_LOG, 100, 10, 13, 14, 7);
    EVENT5(USER_LOG, 100, 9, 15, 16, 7);
    EVENT5(USER_LOG, 100, 9, 15, 17, 7); /* is no id */
    EVENT5(USER_LOG, 100, 9, 13, 16, 7); /* nor is this: not eight bytes */
    EVENT3(USER_TASK_END, 100, 10, 7);
    EVENT3(USER_TASK_END, 100, 9, 7);
    (void)rawtrace_end_batch();
    rawtrace_end_generation();
    list = sum_up(2);
    assert_string_equal(list[0].name, "request");
    assert_int_equal(list[0].task, 9);
    assert_int_equal(list[0].parent, GOTRACE_NONE);
    assert_string_equal(list[0].work->ids[SUMMARY_TRACE_ID], "0af7651916cd43dd");
    assert_null(list[0].work->ids[SUMMARY_SPAN_ID]);
    assert_string_equal(list[1].name, "query");
    assert_int_equal(list[1].parent, 9);
    assert_string_equal(list[1].work->ids[SUMMARY_SPAN_ID], "72340172838076929");
    assert_int_equal(list[0].work->running, list[0].duration); /* with that of its child */
    assert_int_equal(list[1].work->running, list[1].duration);
    summary_done(&summary);
}

/* Tasks that are mentioned, but began before the trace: one ends, one does not; one that ended is
 * no open one when it is mentioned again. */
static void test_older_tasks(void **state)
{
    const struct summary_outlier *list;

    (void)state;
    build();
    rawtrace_begin_running(1000);
    EVENT4(USER_REGION_BEGIN, 100, 5, 11, 7);
    EVENT4(USER_REGION_END, 100, 5, 11, 7);
    EVENT3(USER_TASK_END, 100, 4, 7);
    EVENT4(USER_REGION_BEGIN, 100, 4, 12, 7);
    EVENT4(USER_REGION_END, 100, 4, 12, 7);
    (void)rawtrace_end_batch();
    rawtrace_end_generation();
    list = sum_up(2);
    assert_int_equal(list[0].task, 5);
    assert_true(list[0].open && list[0].at_start);
    assert_int_equal(list[0].duration, summary.window);
    assert_true(list[0].work->running > 0 && list[0].work->running < list[0].duration);
    assert_int_equal(list[1].task, 4);
    assert_true(!list[1].open && list[1].at_start);
    assert_int_equal(list[1].at, 0);
    assert_null(list[1].work);
    summary_done(&summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_references_end_with_their_task, setup, teardown),
        cmocka_unit_test_setup_teardown(test_serials_begin_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(test_workers_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_below, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reasons, setup, teardown),
        cmocka_unit_test_setup_teardown(test_looks, setup, teardown),
        cmocka_unit_test(test_ids_of_spans),
        cmocka_unit_test(test_older_tasks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
