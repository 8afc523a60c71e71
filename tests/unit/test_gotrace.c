/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/gotrace.h"
#include "trace/reader/resources.h"
#include "trace/reader/specs.h"

static struct gotrace *open_all(void)
{
    return rawtrace_open(rawtrace.n, NULL);
}

static const struct gotrace_event *next(struct gotrace *t, int type)
{
    const struct gotrace_event *e;

    assert_int_equal(gotrace_next(t, &e), 1);
    assert_int_equal(e->type, type);
    return e;
}

/* Reads to the end; returns its code and how many events there were. */
static int drain(struct gotrace *t, size_t *ret_n)
{
    const struct gotrace_event *e;
    size_t n = 0;
    int r;

    while ((r = gotrace_next(t, &e)) > 0)
        n++;
    if (ret_n)
        *ret_n = n;
    return r;
}

static void assert_text(struct gotrace *t, uint64_t handle, const char *expected)
{
    size_t n;
    const char *text = gotrace_string(t, handle, &n);

    assert_int_equal(n, strlen(expected));
    assert_memory_equal(text, expected, n);
}

static void test_fields(void **state)
{
    const struct gotrace_event *e;
    struct gotrace *t;
    const uint32_t *row;
    size_t n;

    (void)state;
    rawtrace_small();

    t = open_all();
    e = next(t, GOTRACE_EV_SYNC);
    assert_int_equal(e->kind, GOTRACE_SYNC);
    assert_int_equal(e->args[0], 1);
    assert_int_equal(e->args[1], 1);
    assert_int_equal(gotrace_version(t), 26);
    e = next(t, GOTRACE_EV_PROC_STATUS);
    assert_int_equal(e->time, 100);
    assert_int_equal(e->p, GOTRACE_NONE);
    assert_int_equal(e->m, 5);
    assert_int_equal(e->from, GOTRACE_PROC_UNDETERMINED);
    assert_int_equal(e->to, GOTRACE_PROC_RUNNING);
    e = next(t, GOTRACE_EV_GO_STATUS);
    assert_int_equal(e->time, 101); /* half a nanosecond is dropped, and times rise */
    assert_int_equal(e->p, 0);
    assert_int_equal(e->g, GOTRACE_NONE);
    assert_int_equal(e->to, GOTRACE_GO_RUNNING);
    e = next(t, GOTRACE_EV_GO_CREATE);
    assert_int_equal(e->kind, GOTRACE_GO_STATE);
    assert_int_equal(e->time, 105);
    assert_int_equal(e->g, 1);
    assert_int_equal(e->args[0], 2);
    assert_int_equal(e->from, GOTRACE_GO_NOT_EXIST);
    assert_int_equal(e->to, GOTRACE_GO_RUNNABLE);
    assert_int_equal(e->new_stack, e->stack);
    row = gotrace_stack(t, e->stack, &n);
    assert_int_equal(n, 2);
    assert_text(t, gotrace_frame(t, row[0])->func, "main.inner");
    assert_text(t, gotrace_frame(t, row[1])->func, "main.main");
    assert_text(t, gotrace_frame(t, row[1])->file, "a.go");
    assert_int_equal(gotrace_frame(t, row[1])->line, 11);
    e = next(t, GOTRACE_EV_GO_BLOCK);
    assert_text(t, e->string, "sync");
    assert_int_equal(e->args[0], 1);
    e = next(t, GOTRACE_EV_GO_START);
    assert_int_equal(e->g, GOTRACE_NONE);
    assert_int_equal(e->args[0], 2);
    e = next(t, GOTRACE_EV_SYNC);
    assert_int_equal(e->args[1], 0);
    assert_int_equal(drain(t, &n), 0);
    assert_int_equal(n, 0);
    gotrace_close(t);
}

static void test_clock(void **state)
{
    struct gotrace_generation gen;
    struct gotrace *t;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(200);
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = open_all();
    assert_int_equal(gotrace_generation(t, &gen), -ENOENT);
    next(t, GOTRACE_EV_SYNC);
    assert_int_equal(gotrace_generation(t, &gen), 0);
    assert_int_equal(gen.number, 1);
    assert_int_equal(gen.offset, 16);
    assert_int_equal(gen.bytes, rawtrace.n - 17);
    assert_true(gen.has_clock);
    assert_int_equal(gen.clock_trace, 50);
    assert_int_equal(gen.clock_mono, 7000);
    assert_int_equal(gen.clock_sec, 1700000000);
    assert_int_equal(gen.clock_nsec, 5);
    assert_int_equal(gen.n_stacks, 1);
    assert_int_equal(gen.n_strings, 4);
    assert_int_equal(gen.n_frames, 2);
    assert_int_equal(gen.n_threads, 1);
    assert_int_equal(drain(t, NULL), 0);
    assert_int_equal(gotrace_generation(t, &gen), -ENOENT);
    gotrace_close(t);
}

/* Thread 6 seems to start goroutine 2 long before thread 5 creates it. */
static void put_misleading_times(void)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_batch(6, 100);
    EVENT3(PROC_STATUS, 1, 1, P_RUNNING);
    EVENT3(GO_START, 1, 2, 1);
    EVENT1(GO_DESTROY, 1);
    rawtrace_end_batch();
    rawtrace_begin_running(1000);
    EVENT4(GO_CREATE, 1, 2, 7, 7);
    rawtrace_end_batch();
    rawtrace_end_generation();
}

static void test_sequence_beats_time(void **state)
{
    struct gotrace *t;
    int64_t created;

    (void)state;
    put_misleading_times();
    t = open_all();
    next(t, GOTRACE_EV_SYNC);
    next(t, GOTRACE_EV_PROC_STATUS);
    next(t, GOTRACE_EV_PROC_STATUS);
    next(t, GOTRACE_EV_GO_STATUS);
    created = next(t, GOTRACE_EV_GO_CREATE)->time;
    assert_int_equal(next(t, GOTRACE_EV_GO_START)->time, created + 1);
    assert_int_equal(next(t, GOTRACE_EV_GO_DESTROY)->time, created + 2);
    next(t, GOTRACE_EV_SYNC);
    gotrace_close(t);
}

/* A task and a region begin in one generation and end in the next, with other ids for names. */
static void test_across_generations(void **state)
{
    const struct gotrace_event *e;
    int64_t task, region;
    struct gotrace *t;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(100);
    EVENT5(USER_TASK_BEGIN, 1, 40, 0, 4, 7);
    EVENT4(USER_REGION_BEGIN, 1, 40, 1, 7);
    rawtrace_end_batch();
    rawtrace_end_generation();
    rawtrace_sync();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(9, "main.inner");
    rawtrace_end_batch();
    rawtrace_begin_running(300);
    EVENT4(USER_REGION_END, 1, 40, 9, 0);
    EVENT3(USER_TASK_END, 1, 40, 0);
    EVENT3(USER_TASK_END, 1, 41, 0);
    rawtrace_end_batch();
    rawtrace_end_generation();

    t = open_all();
    next(t, GOTRACE_EV_SYNC);
    next(t, GOTRACE_EV_PROC_STATUS);
    next(t, GOTRACE_EV_GO_STATUS);
    e = next(t, GOTRACE_EV_USER_TASK_BEGIN);
    assert_int_equal(e->args[0], 40);
    assert_int_equal((int64_t)e->args[1], GOTRACE_NONE);
    assert_text(t, e->string, "sync");
    task = e->time;
    region = next(t, GOTRACE_EV_USER_REGION_BEGIN)->time;
    next(t, GOTRACE_EV_SYNC);
    next(t, GOTRACE_EV_PROC_STATUS);
    e = next(t, GOTRACE_EV_GO_STATUS);
    assert_int_equal(e->g, 1);
    assert_int_equal(e->from, GOTRACE_GO_RUNNING);
    e = next(t, GOTRACE_EV_USER_REGION_END);
    assert_text(t, e->string, "main.inner");
    assert_int_equal(e->args[1], 0);
    assert_int_equal(e->third, e->time - region);
    e = next(t, GOTRACE_EV_USER_TASK_END);
    assert_text(t, e->string, "sync");
    assert_int_equal(e->third, e->time - task);
    e = next(t, GOTRACE_EV_USER_TASK_END);
    assert_int_equal(e->string, 0);
    assert_int_equal(e->third, GOTRACE_UNKNOWN);
    assert_int_equal((int64_t)e->args[1], GOTRACE_NONE);
    next(t, GOTRACE_EV_SYNC);
    gotrace_close(t);
}

static void region_ends(struct gotrace *t, uint64_t task, uint64_t inner, uint64_t lasted)
{
    const struct gotrace_event *e = next(t, GOTRACE_EV_USER_REGION_END);

    assert_int_equal(e->args[0], task);
    assert_int_equal(e->args[1], inner);
    assert_int_equal(e->third, lasted);
}

/* Go's reader stops at the first of these; a program's mistake does no harm to anything else. */
static void test_misnested_regions(void **state)
{
    struct gotrace *t;
    size_t n;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(100);
    EVENT4(USER_REGION_END, 2, 0, 1, 7); /* began before the trace */
    EVENT4(USER_REGION_BEGIN, 2, 40, 1, 7);
    EVENT4(USER_REGION_BEGIN, 2, 40, 2, 7);
    EVENT4(USER_REGION_BEGIN, 2, 41, 1, 7);
    EVENT4(USER_REGION_END, 2, 40, 1, 7); /* the first one */
    EVENT4(USER_REGION_END, 2, 40, 1, 7); /* a second time */
    EVENT4(USER_REGION_END, 2, 41, 1, 7);
    EVENT4(USER_REGION_END, 2, 40, 2, 7);
    EVENT3(GO_BLOCK, 2, 3, 7);
    rawtrace_end_batch();
    rawtrace_end_generation();

    t = open_all();
    next(t, GOTRACE_EV_SYNC);
    next(t, GOTRACE_EV_PROC_STATUS);
    next(t, GOTRACE_EV_GO_STATUS);
    region_ends(t, 0, 0, GOTRACE_UNKNOWN);
    next(t, GOTRACE_EV_USER_REGION_BEGIN);
    next(t, GOTRACE_EV_USER_REGION_BEGIN);
    next(t, GOTRACE_EV_USER_REGION_BEGIN);
    region_ends(t, 40, 2, 3);
    region_ends(t, 40, GOTRACE_UNKNOWN, GOTRACE_UNKNOWN);
    region_ends(t, 41, 0, 3);
    region_ends(t, 40, 0, 5);
    next(t, GOTRACE_EV_GO_BLOCK);
    assert_int_equal(drain(t, &n), 0);
    gotrace_close(t);
}

/* How far in a region's end is looked for is bounded, so that no trace costs the square of it. */
static void test_deep_regions(void **state)
{
    struct gotrace *t;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(100);
    EVENT4(USER_REGION_BEGIN, 2, 1, 1, 7);
    for (int i = 0; i < REGIONS_SEARCHED - 1; i++)
        EVENT4(USER_REGION_BEGIN, 2, 2, 1, 7);
    EVENT4(USER_REGION_END, 2, 1, 1, 7);
    EVENT4(USER_REGION_BEGIN, 2, 2, 1, 7);
    EVENT4(USER_REGION_BEGIN, 2, 3, 1, 7);
    EVENT4(USER_REGION_END, 2, 1, 1, 7);
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = open_all();
    next(t, GOTRACE_EV_SYNC);
    next(t, GOTRACE_EV_PROC_STATUS);
    next(t, GOTRACE_EV_GO_STATUS);
    for (int i = 0; i < REGIONS_SEARCHED; i++)
        next(t, GOTRACE_EV_USER_REGION_BEGIN);
    region_ends(t, 1, REGIONS_SEARCHED - 1, REGIONS_SEARCHED);
    next(t, GOTRACE_EV_USER_REGION_BEGIN);
    next(t, GOTRACE_EV_USER_REGION_BEGIN);
    region_ends(t, 1, GOTRACE_UNKNOWN, GOTRACE_UNKNOWN);
    gotrace_close(t);
}

/* The same bytes, but a generation of the older formats ends where the next one begins. */
static void test_older_format(void **state)
{
    struct gotrace *t;
    size_t n;

    (void)state;
    rawtrace_begin(22);
    for (rawtrace_generation = 1; rawtrace_generation <= 3; rawtrace_generation++) {
        rawtrace_begin_batch(UINT64_MAX, 1);
        rawtrace_event(EV_FREQUENCY, 1, U(1000000000));
        rawtrace_end_batch();
        rawtrace_begin_running(100 * rawtrace_generation);
        rawtrace_end_batch();
    }
    t = open_all();
    assert_int_equal(drain(t, &n), 0);
    assert_int_equal(n, 3 * 3 + 1);
    gotrace_close(t);

    rawtrace_generation = 4; /* its frequency would have come later */
    rawtrace_begin_running(1000);
    rawtrace_end_batch();
    t = open_all();
    assert_int_equal(drain(t, &n), -ENODATA);
    assert_int_equal(n, 3 * 3 + 1);
    gotrace_close(t);

    rawtrace_generation = 9;
    rawtrace_begin_batch(5, 1000);
    rawtrace_end_batch();
    t = open_all();
    assert_int_equal(drain(t, &n), -EBADMSG);
    assert_string_equal(gotrace_last_error(t).text, "generation 9 follows 4");
    assert_int_equal(n, 3 * 3 + 1);
    gotrace_close(t);
}

/* A stack without frames is none to look at, also where it is the only one. */
static void test_empty_stack(void **state)
{
    const struct gotrace_event *e;
    struct gotrace *t;
    size_t n = 1;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    rawtrace_event(EV_STACK, 2, U(7), U(0));
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(gotrace_next(t, &e), 1);
    assert_null(gotrace_stack(t, 1, &n));
    assert_int_equal(n, 0);
    assert_int_equal(drain(t, &n), 0);
    gotrace_close(t);
}

static void put_frame(const void *pc, size_t n, uint64_t func, uint64_t line)
{
    rawtrace_put(&rawtrace_batch, pc, n);
    rawtrace_number(&rawtrace_batch, func);
    rawtrace_number(&rawtrace_batch, 3);
    rawtrace_number(&rawtrace_batch, line);
}

/* Program counters in any of their forms: equal ones are one frame, the first that was told. */
static const struct {
    const char *bytes;
    size_t n;
    unsigned frame;
} forms[] = {
    {"\xc0\x8d\xb7\x01", 4, 0},
    {"\xc0\x8d\xb7\x01", 4, 0},
    {"\xc0\x8d\xb7\x81\0", 5, 0},
    {"\x80\x80\x80\0", 4, 1},
    {"\0", 1, 1},
    {"\x64", 1, 2},
    {"\xe4\x80\x80\0", 4, 2},
    {"\x80\x80\x80\0", 4, 1},
    {"\xc0\x8d\xb7\x01", 4, 0},
};
#define N_FORMS (sizeof(forms) / sizeof(forms[0]))

/* A generation forgets the frames of the one before it. */
static void test_frames(void **state)
{
    static const uint64_t pcs[] = {3000000, 0, 100};
    struct gotrace *t;

    (void)state;
    rawtrace_begin(26);
    for (uint64_t func = 1; func <= 2; func++) {
        rawtrace_sync();
        rawtrace_tables();
        rawtrace_begin_batch(UINT64_MAX, 1);
        rawtrace_number(&rawtrace_batch, EV_STACKS);
        rawtrace_event(EV_STACK, 2, U(9), U(2));
        rawtrace_put(&rawtrace_batch, "\0\0\0\0\0\0\0", 8);
        rawtrace_event(EV_STACK, 2, U(8), U(N_FORMS));
        for (size_t i = 0; i < N_FORMS; i++)
            put_frame(forms[i].bytes, forms[i].n, i == forms[i].frame ? func : 4, 1000 * i);
        rawtrace_end_batch();
        rawtrace_end_generation();
    }
    t = open_all();
    for (uint64_t func = 1; func <= 2; func++) {
        const uint32_t *row;
        size_t n;

        (void)next(t, GOTRACE_EV_SYNC);
        row = gotrace_stack(t, 2, &n);
        assert_int_equal(n, 2);
        assert_true(row[0] == row[1] && gotrace_frame(t, row[0])->pc == 0);
        row = gotrace_stack(t, 3, &n);
        assert_int_equal(n, N_FORMS);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(gotrace_frame(t, row[i])->pc, pcs[forms[i].frame]);
            assert_int_equal(row[i], row[forms[i].frame == 2 ? 5 : forms[i].frame == 1 ? 3 : 0]);
        }
        assert_text(t, gotrace_frame(t, row[0])->func, func == 1 ? "main.inner" : "main.main");
    }
    gotrace_close(t);
}

/* More frames than are found in one step, each of them twice. */
static void test_many_frames(void **state)
{
    const unsigned n_stacks = 40, depth = 128;
    struct gotrace *t;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    for (unsigned i = 0; i < n_stacks; i++) {
        rawtrace_event(EV_STACK, 2, U(8 + i), U(depth));
        for (unsigned k = 0; k < depth; k++) {
            rawtrace_number(&rawtrace_batch, 5000000 + 16 * (i / 2 * depth + k));
            put_frame("", 0, 1, k);
        }
    }
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = open_all();
    (void)next(t, GOTRACE_EV_SYNC);
    for (unsigned i = 0; i < n_stacks; i++) {
        size_t n;
        const uint32_t *row = gotrace_stack(t, 2 + i, &n);

        assert_int_equal(n, depth);
        for (unsigned k = 0; k < depth; k++)
            assert_int_equal(gotrace_frame(t, row[k])->pc, 5000000 + 16 * (i / 2 * depth + k));
    }
    gotrace_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_sequence_beats_time),
        cmocka_unit_test(test_across_generations),
        cmocka_unit_test(test_misnested_regions),
        cmocka_unit_test(test_deep_regions),
        cmocka_unit_test(test_older_format),
        cmocka_unit_test(test_empty_stack),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_many_frames),
    };

    return cmocka_run_group_tests_name("gotrace", tests, NULL, NULL);
}
