/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/gotrace.h"
#include "trace/specs.h"

/* Statuses as the trace writes them. */
enum { G_RUNNABLE = 1, G_RUNNING = 2, G_SYSCALL = 3, G_WAITING = 4 };
enum { P_RUNNING = 1, P_IDLE = 2 };

/* --- allocations that fail --- */

static unsigned long allocations_left;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool fails(void) {
    return allocations_left > 0 && --allocations_left == 0;
}

void *__wrap_malloc(size_t n) {
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
    return fails() ? NULL : __real_realloc(p, n);
}

/* --- making traces --- */

struct bytes {
    uint8_t data[64 << 10];
    size_t n;
};

static struct bytes trace, batch;
static uint64_t batch_m, batch_time, generation;

static void put(struct bytes *b, const void *data, size_t n) {
    assert_true(n <= sizeof(b->data) - b->n);
    if (n > 0)
        memcpy(b->data + b->n, data, n);
    b->n += n;
}

static void put_number(struct bytes *b, uint64_t v) {
    uint8_t byte;

    for (; v >= 0x80; v >>= 7) {
        byte = (uint8_t) (v | 0x80);
        put(b, &byte, 1);
    }
    byte = (uint8_t) v;
    put(b, &byte, 1);
}

static void begin_trace(unsigned minor) {
    char text[17] = {0};

    trace.n = 0;
    generation = 1;
    (void) snprintf(text, sizeof(text), "go 1.%02u trace", minor % 100);
    put(&trace, text, 16);
}

static void begin_batch(uint64_t m, uint64_t time) {
    batch.n = 0;
    batch_m = m;
    batch_time = time;
}

/* Returns where in the trace the batch's content begins. */
static uint64_t end_batch(void) {
    uint64_t at;

    put_number(&trace, EV_EVENT_BATCH);
    put_number(&trace, generation);
    put_number(&trace, batch_m);
    put_number(&trace, batch_time);
    put_number(&trace, batch.n);
    at = trace.n;
    put(&trace, batch.data, batch.n);
    return at;
}

/* An event of n numbers: its time's difference, its arguments. Returns where in the batch it is. */
static uint64_t event(unsigned type, unsigned n, ...) {
    uint64_t at = batch.n;
    va_list args;

    va_start(args, n);
    put_number(&batch, type);
    for (unsigned i = 0; i < n; i++)
        put_number(&batch, va_arg(args, uint64_t));
    va_end(args);
    return at;
}

#define U(x) ((uint64_t) (x))
#define EVENT1(type, a) event(GOTRACE_EV_##type, 1, U(a))
#define EVENT2(type, a, b) event(GOTRACE_EV_##type, 2, U(a), U(b))
#define EVENT3(type, a, b, c) event(GOTRACE_EV_##type, 3, U(a), U(b), U(c))
#define EVENT4(type, a, b, c, d) event(GOTRACE_EV_##type, 4, U(a), U(b), U(c), U(d))
#define EVENT5(type, a, b, c, d, e) event(GOTRACE_EV_##type, 5, U(a), U(b), U(c), U(d), U(e))

/* Two units of the trace's clock are a nanosecond. */
static void put_sync(void) {
    begin_batch(UINT64_MAX, 1);
    put_number(&batch, EV_SYNC);
    event(EV_FREQUENCY, 1, U(2000000000));
    event(EV_CLOCK_SNAPSHOT, 4, U(99), U(7000), U(1700000000), U(5));
    end_batch();
}

static void put_string(uint64_t id, const char *text) {
    put_number(&batch, EV_STRING);
    put_number(&batch, id);
    put_number(&batch, strlen(text));
    put(&batch, text, strlen(text));
}

/* Strings 1 to 3; stack 7: main.inner at pc 100 called by main.main at pc 200, both in a.go. */
static void put_tables(void) {
    begin_batch(UINT64_MAX, 1);
    put_number(&batch, EV_STRINGS);
    put_string(1, "main.inner");
    put_string(2, "main.main");
    put_string(3, "a.go");
    put_string(4, "sync");
    end_batch();
    begin_batch(UINT64_MAX, 1);
    put_number(&batch, EV_STACKS);
    event(EV_STACK, 2, U(7), U(2));
    for (unsigned i = 0; i < 2; i++) {
        put_number(&batch, 100 * (i + 1));
        put_number(&batch, i + 1);
        put_number(&batch, 3);
        put_number(&batch, 10 + i);
    }
    end_batch();
}

/* Thread 5 has proc 0, on which goroutine 1 runs. */
static void begin_running(uint64_t time) {
    begin_batch(5, time);
    EVENT3(PROC_STATUS, 1, 0, P_RUNNING);
    EVENT4(GO_STATUS, 1, 1, 5, G_RUNNING);
}

static void end_generation(void) {
    put_number(&trace, EV_END_OF_GENERATION);
    generation++;
}

/* --- reading them --- */

struct source {
    const uint8_t *data;
    size_t left;
    size_t piece;
    int error; /* instead of the end */
};

static struct source source;

static ssize_t give(void *userdata, void *data, size_t n) {
    struct source *s = userdata;

    if (n > s->left)
        n = s->left;
    if (n > s->piece)
        n = s->piece;
    if (n == 0)
        return s->error;
    memcpy(data, s->data, n);
    s->data += n;
    s->left -= n;
    return (ssize_t) n;
}

static struct gotrace *open_first(size_t n, const struct gotrace_options *options) {
    struct gotrace *t;

    source = (struct source){trace.data, n, SIZE_MAX, 0};
    assert_int_equal(gotrace_open(options, give, &source, &t), 0);
    return t;
}

static struct gotrace *open_all(void) {
    return open_first(trace.n, NULL);
}

static const struct gotrace_event *next(struct gotrace *t, int type) {
    const struct gotrace_event *e;

    assert_int_equal(gotrace_next(t, &e), 1);
    assert_int_equal(e->type, type);
    return e;
}

/* Reads to the end; returns its code and how many events there were. */
static int drain(struct gotrace *t, size_t *ret_n) {
    const struct gotrace_event *e;
    size_t n = 0;
    int r;

    while ((r = gotrace_next(t, &e)) > 0)
        n++;
    if (ret_n)
        *ret_n = n;
    return r;
}

static void assert_text(struct gotrace *t, uint64_t handle, const char *expected) {
    size_t n;
    const char *text = gotrace_string(t, handle, &n);

    assert_int_equal(n, strlen(expected));
    assert_memory_equal(text, expected, n);
}

static void assert_fails(int code, uint64_t offset, const char *text) {
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

/* --- the tests --- */

static void test_fields(void **state) {
    const struct gotrace_event *e;
    struct gotrace *t;
    const uint32_t *row;
    size_t n;

    (void) state;
    begin_trace(26);
    put_sync();
    put_tables();
    begin_running(200);
    EVENT4(GO_CREATE, 10, 2, 7, 7);
    EVENT3(GO_BLOCK, 10, 4, 7);
    EVENT3(GO_START, 10, 2, 1);
    end_batch();
    end_generation();

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

static void test_clock(void **state) {
    struct gotrace_generation gen;
    struct gotrace *t;

    (void) state;
    begin_trace(26);
    put_sync();
    put_tables();
    begin_running(200);
    end_batch();
    end_generation();
    t = open_all();
    assert_int_equal(gotrace_generation(t, &gen), -ENOENT);
    next(t, GOTRACE_EV_SYNC);
    assert_int_equal(gotrace_generation(t, &gen), 0);
    assert_int_equal(gen.number, 1);
    assert_int_equal(gen.offset, 16);
    assert_int_equal(gen.bytes, trace.n - 17);
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
static void put_misleading_times(void) {
    begin_trace(26);
    put_sync();
    put_tables();
    begin_batch(6, 100);
    EVENT3(PROC_STATUS, 1, 1, P_RUNNING);
    EVENT3(GO_START, 1, 2, 1);
    EVENT1(GO_DESTROY, 1);
    end_batch();
    begin_running(1000);
    EVENT4(GO_CREATE, 1, 2, 7, 7);
    end_batch();
    end_generation();
}

static void test_sequence_beats_time(void **state) {
    struct gotrace *t;
    int64_t created;

    (void) state;
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

static void test_stuck(void **state) {
    uint64_t at, in_batch;

    (void) state;
    begin_trace(26);
    put_sync();
    put_tables();
    begin_running(100);
    EVENT3(GO_BLOCK, 1, 4, 7);
    in_batch = EVENT3(GO_START, 1, 9, 1); /* nobody creates goroutine 9 */
    at = end_batch();
    end_generation();
    assert_fails(-EBADMSG, at + in_batch,
                 "GoStart is the earliest event, but neither it nor any other thread's next event "
                 "can come now");
}

/* A task and a region begin in one generation and end in the next, with other ids for names. */
static void test_across_generations(void **state) {
    const struct gotrace_event *e;
    struct gotrace *t;

    (void) state;
    begin_trace(26);
    put_sync();
    put_tables();
    begin_running(100);
    EVENT5(USER_TASK_BEGIN, 1, 40, 0, 4, 7);
    EVENT4(USER_REGION_BEGIN, 1, 40, 1, 7);
    end_batch();
    end_generation();
    put_sync();
    begin_batch(UINT64_MAX, 1);
    put_number(&batch, EV_STRINGS);
    put_string(9, "main.inner");
    end_batch();
    begin_running(300);
    EVENT4(USER_REGION_END, 1, 40, 9, 0);
    EVENT3(USER_TASK_END, 1, 40, 0);
    EVENT3(USER_TASK_END, 1, 41, 0);
    end_batch();
    end_generation();

    t = open_all();
    next(t, GOTRACE_EV_SYNC);
    next(t, GOTRACE_EV_PROC_STATUS);
    next(t, GOTRACE_EV_GO_STATUS);
    e = next(t, GOTRACE_EV_USER_TASK_BEGIN);
    assert_int_equal(e->args[0], 40);
    assert_int_equal((int64_t) e->args[1], GOTRACE_NONE);
    assert_text(t, e->string, "sync");
    next(t, GOTRACE_EV_USER_REGION_BEGIN);
    next(t, GOTRACE_EV_SYNC);
    next(t, GOTRACE_EV_PROC_STATUS);
    e = next(t, GOTRACE_EV_GO_STATUS);
    assert_int_equal(e->g, 1);
    assert_int_equal(e->from, GOTRACE_GO_RUNNING);
    e = next(t, GOTRACE_EV_USER_REGION_END);
    assert_text(t, e->string, "main.inner");
    e = next(t, GOTRACE_EV_USER_TASK_END);
    assert_text(t, e->string, "sync");
    e = next(t, GOTRACE_EV_USER_TASK_END);
    assert_int_equal(e->string, 0);
    assert_int_equal((int64_t) e->args[1], GOTRACE_NONE);
    next(t, GOTRACE_EV_SYNC);
    gotrace_close(t);
}

static void test_other_region_ends(void **state) {
    uint64_t in_batch, at;

    (void) state;
    begin_trace(26);
    put_sync();
    put_tables();
    begin_running(100);
    EVENT4(USER_REGION_BEGIN, 1, 0, 1, 7);
    in_batch = EVENT4(USER_REGION_END, 1, 0, 2, 7);
    at = end_batch();
    end_generation();
    assert_fails(-EBADMSG, at + in_batch,
                 "UserRegionEnd: another region of goroutine 1 began last");
}

static void test_unknown_ids(void **state) {
    uint64_t in_batch, at;

    (void) state;
    for (int stack = 0; stack < 2; stack++) {
        begin_trace(26);
        put_sync();
        put_tables();
        begin_running(100);
        in_batch = EVENT3(GO_BLOCK, 1, stack ? 4 : 99, stack ? 98 : 7);
        at = end_batch();
        end_generation();
        assert_fails(-EBADMSG, at + in_batch,
                     stack ? "GoBlock: there is no stack 98" : "GoBlock: there is no string 99");
    }
}

static void test_torn_events(void **state) {
    uint64_t in_batch, at;

    (void) state;
    begin_trace(26);
    put_sync();
    begin_running(100);
    in_batch = event(GOTRACE_EV_GO_BLOCK, 2, U(1), U(4)); /* an argument too few */
    at = end_batch();
    end_generation();
    assert_fails(-EBADMSG, at + in_batch, "an event that does not end within its batch: type 20");

    begin_trace(26);
    put_sync();
    begin_running(100);
    in_batch = event(GOTRACE_EV_PROC_STOP, 0);
    put(&batch, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
    EVENT1(PROC_STOP, 1);
    at = end_batch();
    end_generation();
    assert_fails(-EBADMSG, at + in_batch, "an event that does not end within its batch: type 11");

    begin_trace(26);
    put_sync();
    begin_running(100);
    in_batch = event(EV_STRING, 1, U(1));
    at = end_batch();
    end_generation();
    assert_fails(-EBADMSG, at + in_batch, "an event that is none of a thread's: type 5");
}

static void test_generations_need_clocks(void **state) {
    (void) state;
    begin_trace(26);
    begin_running(100);
    end_batch();
    end_generation();
    assert_fails(-EBADMSG, 16, "generation without a frequency");

    begin_trace(26);
    begin_batch(5, 1);
    event(EV_END_OF_GENERATION, 0);
    assert_fails(-EBADMSG, end_batch(), "the end of a generation in a batch");
}

/* The same bytes, but a generation of the older formats ends where the next one begins. */
static void test_older_format(void **state) {
    struct gotrace *t;
    size_t n;

    (void) state;
    begin_trace(22);
    for (generation = 1; generation <= 3; generation++) {
        begin_batch(UINT64_MAX, 1);
        event(EV_FREQUENCY, 1, U(1000000000));
        end_batch();
        begin_running(100 * generation);
        end_batch();
    }
    t = open_all();
    assert_int_equal(drain(t, &n), 0);
    assert_int_equal(n, 3 * 3 + 1);
    gotrace_close(t);

    generation = 4; /* its frequency would have come later */
    begin_running(1000);
    end_batch();
    t = open_all();
    assert_int_equal(drain(t, &n), -ENODATA);
    assert_int_equal(n, 3 * 3 + 1);
    gotrace_close(t);

    generation = 9;
    begin_batch(5, 1000);
    end_batch();
    t = open_all();
    assert_int_equal(drain(t, &n), -EBADMSG);
    assert_string_equal(gotrace_last_error(t).text, "generation 9 follows 4");
    assert_int_equal(n, 3 * 3 + 1);
    gotrace_close(t);
}

static void put_example(void) {
    put_misleading_times();
    put_sync();
    put_tables();
    begin_running(2000);
    EVENT5(USER_TASK_BEGIN, 1, 40, 0, 4, 7);
    EVENT4(USER_REGION_BEGIN, 1, 40, 1, 7);
    EVENT2(GC_MARK_ASSIST_BEGIN, 1, 7);
    end_batch();
    end_generation();
}

/* However a trace breaks off, all whole generations are handed out, and then the truth is told. */
static void test_every_truncation(void **state) {
    size_t n;

    (void) state;
    put_example();
    for (size_t cut = 0; cut < trace.n; cut++) {
        struct gotrace *t = open_first(cut, NULL);
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

static void test_reading_fails(void **state) {
    struct gotrace *t;

    (void) state;
    put_example();
    t = open_first(trace.n - 30, NULL);
    source.error = -EIO;
    source.piece = 7;
    assert_int_equal(drain(t, NULL), -EIO);
    assert_int_equal(gotrace_last_error(t).offset, trace.n - 30);
    gotrace_close(t);
}

static void test_bounds(void **state) {
    struct gotrace_options small = {.max_generation_bytes = 100};
    struct gotrace_options poor = {.max_memory = 3 << 20};
    struct gotrace *t;

    (void) state;
    put_example();
    t = open_first(trace.n, &small);
    assert_int_equal(drain(t, NULL), -E2BIG);
    assert_string_equal(gotrace_last_error(t).text, "generation of more than 100 bytes");
    gotrace_close(t);

    t = open_first(trace.n, &poor);
    assert_int_equal(drain(t, NULL), 0);
    assert_true(gotrace_memory(t) <= 3 << 20);
    gotrace_close(t);
    poor.max_memory = 1000;
    t = open_first(trace.n, &poor);
    assert_int_equal(drain(t, NULL), -E2BIG);
    gotrace_close(t);
}

/* Each allocation fails once: an error, and nothing is lost (the sanitizers look). */
static void test_every_allocation_fails(void **state) {
    unsigned long n;
    bool reached = true;

    (void) state;
    put_example();
    source = (struct source){trace.data, trace.n, SIZE_MAX, 0};
    for (n = 1; reached && n < 1000; n++) {
        struct gotrace *t = NULL;
        int r;

        source = (struct source){trace.data, trace.n, SIZE_MAX, 0};
        allocations_left = n;
        r = gotrace_open(NULL, give, &source, &t);
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
static void test_patience(void **state) {
    struct gotrace *t;

    (void) state;
    begin_trace(26);
    put_sync();
    put_tables();
    for (uint64_t m = 0; m < 1500; m++) {
        begin_batch(100 + m, 10);
        EVENT3(GO_START, 1, 9, 1);
        end_batch();
    }
    begin_running(1000);
    for (unsigned i = 0; i < 13000; i++)
        EVENT2(HEAP_ALLOC, 1, i % 100);
    end_batch();
    end_generation();
    t = open_all();
    assert_int_equal(drain(t, NULL), -E2BIG);
    assert_string_equal(gotrace_last_error(t).text,
                        "the generation's 1501 threads wait for each other too often");
    gotrace_close(t);
}

static void test_refused(void **state) {
    static const struct {
        const char *header;
        int code;
    } rows[] = {
        {"go 1.21 trace\0\0\0", -EPROTONOSUPPORT}, {"go 1.9 trace\0\0\0\0", -EPROTONOSUPPORT},
        {"go 1.24 trace\0\0\0", -ENOTSUP},         {"go 1.27 trace\0\0\0", -ENOTSUP},
        {"go 1.222 trace\0\0", -ENOMSG},           {"go 2.22 trace\0\0\0", -ENOMSG},
        {"go 1.22 trace\0\0\1", -ENOMSG},          {"<!doctype html>\n", -ENOMSG},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gotrace *t;
        size_t n;

        trace.n = 0;
        put(&trace, rows[i].header, 16);
        t = open_all();
        assert_int_equal(drain(t, &n), rows[i].code);
        assert_int_equal(n, 0);
        gotrace_close(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_sequence_beats_time),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_across_generations),
        cmocka_unit_test(test_other_region_ends),
        cmocka_unit_test(test_unknown_ids),
        cmocka_unit_test(test_torn_events),
        cmocka_unit_test(test_generations_need_clocks),
        cmocka_unit_test(test_older_format),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_reading_fails),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_every_allocation_fails),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("gotrace", tests, NULL, NULL);
}
