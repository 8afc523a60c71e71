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
#include "trace/reader/specs.h"

static unsigned long allocations_left;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

static bool fails(void)
{
    return allocations_left > 0 && --allocations_left == 0;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, n);
}

static struct gotrace *open_all(void)
{
    return rawtrace_open(rawtrace.n, NULL);
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

static void assert_fails(int code, uint64_t offset, const char *text)
{
    struct gotrace *t = open_all();
    struct gotrace_error error;
    const struct gotrace_event *e;

    assert_int_equal(drain(t, NULL), code);
    error = gotrace_last_error(t);
    assert_int_equal(error.code, code);
    assert_string_equal(error.text, text);
    assert_int_equal(error.offset, offset);
    assert_int_equal(gotrace_next(t, &e), code);
    gotrace_close(t);
}

static void test_stuck(void **state)
{
    uint64_t at, in_batch;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(100);
    EVENT3(GO_BLOCK, 1, 4, 7);
    in_batch = EVENT3(GO_START, 1, 9, 1); /* nobody creates goroutine 9 */
    at = rawtrace_end_batch();
    rawtrace_end_generation();
    assert_fails(-EBADMSG, at + in_batch,
                 "GoStart is the earliest event, but neither it nor any other thread's next event "
                 "can come now");
}

/* A goroutine's number that skips one: what is between never comes. */
static void test_sequence_gap(void **state)
{
    uint64_t at, in_batch;

    (void)state;
    for (uint64_t seq = 0; seq <= 2; seq += 2) {
        rawtrace_begin(26);
        rawtrace_sync();
        rawtrace_tables();
        rawtrace_begin_running(100);
        EVENT4(GO_CREATE, 1, 2, 7, 7);
        EVENT3(GO_BLOCK, 1, 4, 7);
        in_batch = EVENT3(GO_START, 1, 2, seq);
        at = rawtrace_end_batch();
        rawtrace_end_generation();
        assert_fails(-EBADMSG, at + in_batch,
                     "GoStart is the earliest event, but neither it nor any other thread's next "
                     "event can come now");
    }
}

static void test_unknown_ids(void **state)
{
    uint64_t in_batch, at;

    (void)state;
    for (int stack = 0; stack < 2; stack++) {
        rawtrace_begin(26);
        rawtrace_sync();
        rawtrace_tables();
        rawtrace_begin_running(100);
        in_batch = EVENT3(GO_BLOCK, 1, stack ? 4 : 99, stack ? 98 : 7);
        at = rawtrace_end_batch();
        rawtrace_end_generation();
        assert_fails(-EBADMSG, at + in_batch,
                     stack ? "GoBlock: there is no stack 98" : "GoBlock: there is no string 99");
    }
}

static void test_torn_events(void **state)
{
    uint64_t in_batch, at;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_running(100);
    in_batch = rawtrace_event(GOTRACE_EV_GO_BLOCK, 2, U(1), U(4)); /* an argument too few */
    at = rawtrace_end_batch();
    rawtrace_end_generation();
    assert_fails(-EBADMSG, at + in_batch, "an event that does not end within its batch: type 20");

    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_running(100);
    in_batch = rawtrace_event(GOTRACE_EV_PROC_STOP, 0);
    rawtrace_put(&rawtrace_batch, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
    EVENT1(PROC_STOP, 1);
    at = rawtrace_end_batch();
    rawtrace_end_generation();
    assert_fails(-EBADMSG, at + in_batch, "an event that does not end within its batch: type 11");

    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_running(100);
    in_batch = rawtrace_event(EV_STRING, 1, U(1));
    at = rawtrace_end_batch();
    rawtrace_end_generation();
    assert_fails(-EBADMSG, at + in_batch, "an event that is none of a thread's: type 5");
}

static void test_generations_need_clocks(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_begin_running(100);
    rawtrace_end_batch();
    rawtrace_end_generation();
    assert_fails(-EBADMSG, 16, "generation without a frequency");

    rawtrace_begin(26);
    rawtrace_begin_batch(5, 1);
    rawtrace_event(EV_END_OF_GENERATION, 0);
    assert_fails(-EBADMSG, rawtrace_end_batch(), "the end of a generation in a batch");
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

static void put_example(void)
{
    put_misleading_times();
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(2000);
    EVENT5(USER_TASK_BEGIN, 1, 40, 0, 4, 7);
    EVENT4(USER_REGION_BEGIN, 1, 40, 1, 7);
    EVENT2(GC_MARK_ASSIST_BEGIN, 1, 7);
    rawtrace_end_batch();
    rawtrace_end_generation();
}

/* However a trace breaks off, all whole generations are handed out, and then the truth is told. */
static void test_every_truncation(void **state)
{
    size_t n;

    (void)state;
    put_example();
    for (size_t cut = 0; cut < rawtrace.n; cut++) {
        struct gotrace *t = rawtrace_open(cut, NULL);
        int r = drain(t, &n);

        if (cut < 16)
            assert_int_equal(r, -ENOMSG);
        else if (cut == 16)
            assert_int_equal(r, 0);
        else
            assert_true(r == -ENODATA || r == 0);
        assert_true(r != -ENODATA || gotrace_last_error(t).offset <= cut);
        if (r == 0 && cut > 16)
            assert_int_equal(n, 8); /* the first generation, exactly */
        gotrace_close(t);
    }
}

static void test_reading_fails(void **state)
{
    struct gotrace *t;

    (void)state;
    put_example();
    t = rawtrace_open(rawtrace.n - 30, NULL);
    rawtrace_source.error = -EIO;
    rawtrace_source.piece = 7;
    assert_int_equal(drain(t, NULL), -EIO);
    assert_int_equal(gotrace_last_error(t).offset, rawtrace.n - 30);
    gotrace_close(t);
}

static void test_bounds(void **state)
{
    struct gotrace_options small = {.max_generation_bytes = 100};
    struct gotrace_options poor = {.max_memory = 3 << 20};
    struct gotrace *t;

    (void)state;
    put_example();
    t = rawtrace_open(rawtrace.n, &small);
    assert_int_equal(drain(t, NULL), -E2BIG);
    assert_string_equal(gotrace_last_error(t).text, "generation of more than 100 bytes");
    gotrace_close(t);

    t = rawtrace_open(rawtrace.n, &poor);
    assert_int_equal(drain(t, NULL), 0);
    assert_true(gotrace_memory(t) <= 3 << 20);
    gotrace_close(t);
    poor.max_memory = 1000;
    t = rawtrace_open(rawtrace.n, &poor);
    assert_int_equal(drain(t, NULL), -E2BIG);
    gotrace_close(t);
}

/* Each allocation fails once: an error, and nothing is lost (the sanitizers look). */
static void test_every_allocation_fails(void **state)
{
    unsigned long n;
    bool reached = true;

    (void)state;
    put_example();
    rawtrace_source = (struct rawtrace_source){rawtrace.data, rawtrace.n, SIZE_MAX, 0};
    for (n = 1; reached && n < 1000; n++) {
        struct gotrace *t = NULL;
        int r;

        rawtrace_source = (struct rawtrace_source){rawtrace.data, rawtrace.n, SIZE_MAX, 0};
        allocations_left = n;
        r = gotrace_open(NULL, rawtrace_read, &rawtrace_source, &t);
        if (r == 0)
            r = drain(t, NULL);
        reached = allocations_left == 0;
        allocations_left = 0;
        assert_int_equal(r, reached ? -ENOMEM : 0);
        gotrace_close(t);
    }
    assert_true(n > 10 && n < 1000);
}

/* Threads that all wait in vain, for as long as another one has events: work without end. */
static void test_patience(void **state)
{
    struct gotrace *t;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    for (uint64_t m = 0; m < 1500; m++) {
        rawtrace_begin_batch(100 + m, 10);
        EVENT3(GO_START, 1, 9, 1);
        rawtrace_end_batch();
    }
    rawtrace_begin_running(1000);
    for (unsigned i = 0; i < 13000; i++)
        EVENT2(HEAP_ALLOC, 1, i % 100);
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = open_all();
    assert_int_equal(drain(t, NULL), -E2BIG);
    assert_string_equal(gotrace_last_error(t).text,
                        "the generation's 1501 threads wait for each other too often");
    gotrace_close(t);
}

static void test_refused(void **state)
{
    static const struct {
        const char *header;
        int code;
    } rows[] = {
        {"go 1.21 trace\0\0\0", -EPROTONOSUPPORT}, {"go 1.9 trace\0\0\0\0", -EPROTONOSUPPORT},
        {"go 1.24 trace\0\0\0", -ENOTSUP},         {"go 1.29 trace\0\0\0", -ENOTSUP},
        {"go 1.222 trace\0\0", -ENOMSG},           {"go 2.22 trace\0\0\0", -ENOMSG},
        {"go 1.22 trace\0\0\1", -ENOMSG},          {"<!doctype html>\n", -ENOMSG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gotrace *t;
        size_t n;

        rawtrace.n = 0;
        rawtrace_put(&rawtrace, rows[i].header, 16);
        t = open_all();
        assert_int_equal(drain(t, &n), rows[i].code);
        assert_int_equal(n, 0);
        gotrace_close(t);
    }
}

/* A header that nobody wrote yet is tried: only what the trace contains may speak against it. */
static void test_newer(void **state)
{
    static const unsigned tried[] = {27, 28};

    (void)state;
    for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
        struct gotrace *t;
        char text[100];

        rawtrace_small();
        rawtrace.data[6] = (uint8_t)('0' + tried[i] % 10);
        t = open_all();
        assert_int_equal(drain(t, NULL), 0);
        assert_int_equal(gotrace_version(t), tried[i]);
        assert_true(gotrace_version(t) > GOTRACE_NEWEST);
        gotrace_close(t);

        rawtrace_begin(tried[i]);
        rawtrace_sync();
        rawtrace_tables();
        rawtrace_begin_running(100);
        rawtrace_event(53, 1, U(1)); /* the next number that no event has */
        rawtrace_end_batch();
        rawtrace_end_generation();
        t = open_all();
        assert_int_equal(drain(t, NULL), -ENOTSUP);
        (void)snprintf(text, sizeof(text), "trace format go 1.%u is not known: ", tried[i]);
        assert_memory_equal(gotrace_last_error(t).text, text, strlen(text));
        assert_int_equal(gotrace_last_error(t).code, -ENOTSUP);
        gotrace_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_sequence_gap),
        cmocka_unit_test(test_unknown_ids),
        cmocka_unit_test(test_torn_events),
        cmocka_unit_test(test_generations_need_clocks),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_reading_fails),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_every_allocation_fails),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_newer),
    };

    return cmocka_run_group_tests_name("gotrace_broken", tests, NULL, NULL);
}
