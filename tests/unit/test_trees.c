/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/reader/specs.h"
#include "trace/trees/trees.h"

static struct wanted wanted;
static struct trees trees;

static int teardown(void **state)
{
    (void)state;
    trees_done(&trees);
    wanted_done(&wanted);
    memset(&trees, 0, sizeof(trees));
    memset(&wanted, 0, sizeof(wanted));
    return 0;
}

static void look(const struct wanted_query *query)
{
    struct gotrace *t = rawtrace_open(rawtrace.n, NULL);

    wanted_done(&wanted);
    wanted_init(&wanted, query, 20261201);
    assert_int_equal(wanted_run(&wanted, t), 0);
    gotrace_close(t);
}

/* Both passes. */
static void grow(const struct wanted_query *query)
{
    struct gotrace *t;

    look(query);
    assert_int_equal(trees_init(&trees, &wanted, 20261201), 0);
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(trees_run(&trees, t), 0);
    gotrace_close(t);
}

static void begin(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(11, "request");
    rawtrace_string(12, "query");
    rawtrace_string(13, "my.span_id");
    rawtrace_string(14, "b7ad6b7169203331");
    rawtrace_string(15, "encode");
    rawtrace_end_batch();
    rawtrace_begin_running(1000);
}

static void end(void)
{
    rawtrace_end_batch();
    rawtrace_end_generation();
}

#define BEGIN(task, parent, type) EVENT5(USER_TASK_BEGIN, 100, task, parent, type, 7)
#define END(task) EVENT3(USER_TASK_END, 100, task, 7)

static const struct wanted_query all = {.limit = 10};

/* Tasks without a parent, the slowest first, as many as are asked for. */
static void test_slowest(void **state)
{
    (void)state;
    begin();
    BEGIN(9, 0, 11);
    END(9);
    BEGIN(10, 0, 11);
    BEGIN(11, 10, 12);
    END(11);
    END(10);
    BEGIN(12, 0, 12);
    BEGIN(13, 0, 11);
    END(13);
    END(12);
    BEGIN(14, 0, 12); /* which does not end */
    end();
    look(&(struct wanted_query){.limit = 2});
    assert_int_equal(wanted.tasks, 6);
    assert_int_equal(wanted.matches, 5);
    assert_int_equal(wanted.n, 2);
    assert_int_equal(wanted.list[0].id, 10);
    assert_int_equal(wanted.list[0].duration, 150);
    assert_int_equal(wanted.list[1].id, 12);
    look(&all);
    assert_int_equal(wanted.n, 5);
    assert_int_equal(wanted.list[4].id, 14);
    assert_true(wanted.list[4].open && !wanted.list[3].open);
}

static void test_queries(void **state)
{
    struct spanid span;

    (void)state;
    begin();
    BEGIN(9, 0, 11);
    BEGIN(10, 9, 12);
    EVENT5(USER_LOG, 100, 10, 13, 14, 7);
    END(10);
    END(9);
    end();
    look(&(struct wanted_query){.limit = 10, .type = "uer"});
    assert_int_equal(wanted.n, 1);
    assert_int_equal(wanted.list[0].id, 10);
    look(&(struct wanted_query){.limit = 10, .by_id = true, .id = 9});
    assert_int_equal(wanted.n, 1);
    assert_int_equal(wanted.list[0].id, 9);
    assert_true(spanid_read("B7AD6B7169203331", &span));
    look(&(struct wanted_query){.limit = 10, .span = &span});
    assert_int_equal(wanted.n, 1);
    assert_int_equal(wanted.list[0].id, 10);
    assert_true(spanid_read("request", &span)); /* a type may be an id, too */
    look(&(struct wanted_query){.limit = 10, .span = &span});
    assert_int_equal(wanted.n, 1);
    assert_int_equal(wanted.list[0].id, 9);
    assert_true(spanid_read("b7ad6b716920333", &span));
    look(&(struct wanted_query){.limit = 10, .span = &span});
    assert_int_equal(wanted.n, 0);
    assert_int_equal(wanted.tasks, 2);
}

/* One from before the trace is known from what mentions it, and once it is over it stays over. */
static void test_older(void **state)
{
    const struct trees_node *node;

    (void)state;
    begin();
    EVENT4(USER_REGION_BEGIN, 100, 5, 15, 7);
    EVENT4(USER_REGION_END, 100, 5, 15, 7);
    BEGIN(9, 4, 11);
    END(9);
    END(4);
    EVENT4(USER_REGION_BEGIN, 100, 4, 15, 7);
    EVENT4(USER_REGION_END, 100, 4, 15, 7);
    end();
    grow(&all);
    assert_int_equal(wanted.n, 2);
    node = trees_root(&trees, &wanted.list[0]);
    assert_non_null(node);
    assert_int_equal(node->id, 5);
    assert_true(node->open && node->at_start);
    assert_int_equal(node->since, trees.first);
    assert_int_equal(node->duration, trees.last - trees.first);
    node = trees_root(&trees, &wanted.list[1]);
    assert_int_equal(node->id, 4);
    assert_true(!node->open && node->at_start);
    assert_int_equal(trees.list[node->below].id, 9);
    assert_int_equal(node->n_marks, 1);
    assert_int_equal(trees.marks[node->marks].duration, 50);
    assert_false(trees.marks[node->marks].open);
}

static int64_t part(const struct trees_work *work, enum trees_kind kind, const char *why)
{
    int64_t ns = 0;

    for (uint32_t i = work->parts; i != TREES_NONE; i = trees.parts[i].next)
        if (trees.parts[i].kind == kind && strcmp(trees.parts[i].why, why) == 0)
            ns += trees.parts[i].ns;
    return ns;
}

/* Goroutine 1 begins a request and a query below it, creates goroutine 2 and waits for it. */
static void test_tree(void **state)
{
    const struct trees_node *root, *child;
    const struct trees_worker *one, *two;

    (void)state;
    begin();
    BEGIN(9, 0, 11);
    EVENT4(GO_CREATE, 100, 2, 7, 7);
    BEGIN(10, 9, 12);
    EVENT5(USER_LOG, 100, 10, 13, 14, 7);
    EVENT3(GO_BLOCK, 100, 4, 7);
    EVENT3(GO_START, 200, 2, 1);
    EVENT4(GO_UNBLOCK, 100, 1, 1, 7);
    EVENT1(GO_DESTROY, 100);
    EVENT3(GO_START, 100, 1, 2);
    EVENT4(USER_REGION_BEGIN, 100, 9, 15, 7);
    END(10);
    EVENT4(USER_REGION_END, 100, 9, 15, 7);
    END(9);
    end();
    grow(&all);
    assert_int_equal(wanted.n, 1);
    root = trees_root(&trees, &wanted.list[0]);
    assert_string_equal(root->name, "request");
    assert_string_equal(root->site.func, "main.inner");
    assert_int_equal(root->duration, 650);
    child = &trees.list[root->below];
    assert_string_equal(child->name, "query");
    assert_int_equal(child->next, TREES_NONE);
    /* The goroutine waited for the child, and so for the request, too. */
    assert_int_equal(part(&child->work, TREES_WAIT, "sync"), 150);
    assert_int_equal(part(&root->work, TREES_WAIT, "sync"), 150);
    assert_int_equal(child->work.ns[TREES_WAIT], 150);
    /* Goroutine 2 worked for the request alone; its start function is that of its creation. */
    assert_int_equal(root->n_workers, 2);
    one = &trees.workers[root->workers];
    two = &trees.workers[one->next];
    two = two->g == 2 ? two : one;
    assert_int_equal(two->g, 2);
    assert_string_equal(two->name, "main.main");
    assert_int_equal(two->work.ns[TREES_RUNNING], 100);
    assert_int_equal(two->work.ns[TREES_RUNNABLE], 250);
    assert_int_equal(child->n_workers, 1);
    assert_int_equal(child->n_marks, 1);
    assert_true(trees.marks[child->marks].log);
    assert_string_equal(trees.marks[child->marks].name, "my.span_id");
    assert_memory_equal(trees.marks[child->marks].message, "b7ad6b7169203331", 16);
    assert_false(trees.marks[root->marks].log);
    assert_int_equal(trees.marks[root->marks].duration, 100);
}

/* A task that is asked for by its type stands in the tree of another that is, too, and nowhere
 * else. */
static void test_within(void **state)
{
    (void)state;
    begin();
    BEGIN(9, 0, 11);
    BEGIN(10, 9, 11);
    END(10);
    END(9);
    end();
    grow(&(struct wanted_query){.limit = 10, .type = "request"});
    assert_int_equal(wanted.n, 2);
    assert_non_null(trees_root(&trees, &wanted.list[0]));
    assert_null(trees_root(&trees, &wanted.list[1]));
    assert_int_equal(trees.n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_slowest, teardown),
        cmocka_unit_test_teardown(test_queries, teardown),
        cmocka_unit_test_teardown(test_older, teardown),
        cmocka_unit_test_teardown(test_tree, teardown),
        cmocka_unit_test_teardown(test_within, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
