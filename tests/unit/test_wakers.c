/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "trace/summary/wakers.h"

#define MANY (WAKERS_MAX + 200)

/* A stack is two frames. */
static struct gotrace_frame frames[2 * MANY];
static uint32_t rows[MANY][2];
static const char *const strings[] = {
    "",          "app.(*store).get",  "app.(*store).put", "app.serve", "app.(*store).put.func1",
    "app.other", "syscall.Fdatasync", "syscall.Syscall",
};

const char *__wrap_gotrace_string(const struct gotrace *trace, uint64_t handle, size_t *ret_len);
const uint32_t *__wrap_gotrace_stack(const struct gotrace *trace, uint32_t handle, size_t *ret_n);
const struct gotrace_frame *__wrap_gotrace_frame(const struct gotrace *trace, uint32_t n);

const char *__wrap_gotrace_string(const struct gotrace *trace, uint64_t handle, size_t *ret_len)
{
    (void)trace;
    *ret_len = strlen(strings[handle]);
    return strings[handle];
}

const uint32_t *__wrap_gotrace_stack(const struct gotrace *trace, uint32_t handle, size_t *ret_n)
{
    (void)trace;
    *ret_n = 2;
    return rows[handle];
}

const struct gotrace_frame *__wrap_gotrace_frame(const struct gotrace *trace, uint32_t n)
{
    (void)trace;
    return &frames[n];
}

static struct memory mem = {.max = SIZE_MAX};
static struct texts texts;
static struct sites sites;
static struct wakers wakers;
static struct summary_wakers top;

static int begin(void **state)
{
    (void)state;
    top = (struct summary_wakers){.n = 0};
    assert_int_equal(texts_init(&texts, &mem, 12345), 0);
    assert_int_equal(sites_init(&sites, &texts, &mem, 12345), 0);
    texts_generation(&texts, 8);
    assert_int_equal(sites_generation(&sites, MANY, 2 * MANY), 0);
    wakers_init(&wakers, &mem, 12345);
    return 0;
}

static int end(void **state)
{
    (void)state;
    wakers_done(&wakers);
    sites_done(&sites);
    texts_done(&texts);
    arena_free(texts.arena);
    assert_int_equal(mem.used, 0);
    return 0;
}

/* The number of a stack in these functions, at a line of its own for each handle. */
static uint32_t stack(uint32_t handle, uint32_t inner, uint32_t outer, uint32_t line)
{
    uint32_t n;

    frames[2 * handle] = (struct gotrace_frame){.pc = handle + 1, .func = inner, .line = line};
    frames[2 * handle + 1] = (struct gotrace_frame){.pc = handle + 1, .func = outer, .line = line};
    rows[handle][0] = 2 * handle;
    rows[handle][1] = 2 * handle + 1;
    assert_int_equal(sites_of(&sites, NULL, handle, &n), 0);
    return n;
}

/* Rows of one site are told as one, the largest first. */
static void test_by_site(void **state)
{
    uint32_t get = stack(1, 1, 3, 10), same = stack(2, 1, 3, 10), put = stack(3, 2, 3, 20);
    uint32_t sync = stack(4, 6, 2, 30);

    (void)state;
    wakers_add(&wakers, &(struct wakers_pair){get, put, SUMMARY_IN_SYSCALL, TEXTS_EMPTY, sync}, 50);
    wakers_add(&wakers, &(struct wakers_pair){same, put, SUMMARY_IN_SYSCALL, TEXTS_EMPTY, sync},
               30);
    wakers_add(&wakers, &(struct wakers_pair){get, put, SUMMARY_RAN, TEXTS_EMPTY, SITES_NO_STACK},
               70);
    assert_int_equal(wakers_top(&wakers, &sites, &top), 0);
    assert_int_equal(top.n, 2);
    assert_string_equal(top.list[0].waiter.func, "app.(*store).get");
    assert_string_equal(top.list[0].at.func, "app.(*store).put");
    assert_int_equal(top.list[0].before, SUMMARY_IN_SYSCALL);
    assert_string_equal(top.list[0].before_at.func, "app.(*store).put");
    assert_int_equal(top.list[0].before_at.line, 30);
    assert_string_equal(top.list[0].call, "syscall.Fdatasync");
    assert_int_equal(top.list[0].count, 2);
    assert_int_equal(top.list[0].total, 80);
    assert_int_equal(top.list[1].before, SUMMARY_RAN);
    assert_string_equal(top.list[1].before_at.func, "");
}

static void test_bounds(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < WAKERS_MAX + 100; i++) {
        uint32_t n = stack(i, 1, 3, i);

        wakers_add(&wakers, &(struct wakers_pair){n, n, SUMMARY_RAN, TEXTS_EMPTY, SITES_NO_STACK},
                   i);
    }
    assert_int_equal(wakers.n, WAKERS_MAX);
    assert_int_equal(wakers_top(&wakers, &sites, &top), 0);
    assert_int_equal(top.n, SUMMARY_SITES);
    assert_int_equal(top.list[0].total, WAKERS_MAX);
}

static void test_empty(void **state)
{
    (void)state;
    assert_int_equal(wakers_top(&wakers, &sites, &top), 0);
    assert_int_equal(top.n, 0);
}

/* What stacks tell of their goroutines. */
static void test_stacks(void **state)
{
    uint32_t get = stack(1, 1, 3, 10), put = stack(2, 2, 3, 20), again = stack(3, 1, 5, 30);

    (void)state;
    assert_false(sites_of_main(&sites, get));
    assert_string_equal(sites_outermost(&sites, get), "app.serve");
    assert_string_equal(sites_outermost(&sites, SITES_NO_STACK), "");
    assert_string_equal(sites_call(&sites, SITES_NO_STACK).func, "");
    assert_string_equal(sites_call(&sites, get).func, "app.(*store).get");
    assert_true(sites_alike(&sites, get, put));
    assert_false(sites_alike(&sites, get, again));
    assert_false(sites_alike(&sites, SITES_NO_STACK, SITES_NO_STACK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_site, begin, end),
        cmocka_unit_test_setup_teardown(test_bounds, begin, end),
        cmocka_unit_test_setup_teardown(test_empty, begin, end),
        cmocka_unit_test_setup_teardown(test_stacks, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
