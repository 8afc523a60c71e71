/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A summary takes most events from the inside of the reader. It must see exactly those that the
 * reader hands out to others, above all where a trace is broken: traces of real programs are
 * damaged here, and what was counted is compared.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "trace/gotrace.h"
#include "trace/summary/summary.h"

#define ROUNDS 1500
#define TRACE_MAX (64u << 10)

static const char *const seeds[] = {"mix-go1.22.12", "mix-go1.23.12", "mix-go1.25.8",
                                    "mix-go1.26.8"};

struct source {
    const char *data;
    size_t left;
};

static ssize_t give(void *userdata, void *data, size_t n)
{
    struct source *s = userdata;

    n = n < s->left ? n : s->left;
    memcpy(data, s->data, n);
    s->data += n;
    s->left -= n;
    return (ssize_t)n;
}

#define GOROUTINES_MAX 4096

struct goroutine {
    int64_t id;
    int64_t since;
    uint8_t state;
};

struct counted {
    uint64_t by_type[256];
    int64_t first, last, sync;
    int64_t times[GOTRACE_GO_SYSCALL + 1]; /* by state */
    uint64_t created, ended, syscalls;
    struct goroutine goroutines[GOROUTINES_MAX];
    size_t n_goroutines;
    struct gotrace_error error;
    char text[200];
    int code;
};

/* What a goroutine did, as simply as can be. */
static void note_state(struct counted *c, const struct gotrace_event *e)
{
    struct goroutine *g = c->goroutines, *end = g + c->n_goroutines;

    while (g < end && g->id != (int64_t)e->args[0])
        g++;
    if (g < end)
        c->times[g->state] += e->time - g->since;
    else if (e->from == GOTRACE_GO_UNDETERMINED)
        c->times[e->to] += e->time - c->sync;
    c->created += e->from == GOTRACE_GO_NOT_EXIST;
    c->ended += e->to == GOTRACE_GO_NOT_EXIST;
    c->syscalls += e->to == GOTRACE_GO_SYSCALL && e->from != GOTRACE_GO_UNDETERMINED;
    if (e->to == GOTRACE_GO_NOT_EXIST) {
        if (g < end)
            *g = c->goroutines[--c->n_goroutines];
        return;
    }
    assert_true(c->n_goroutines < GOROUTINES_MAX);
    c->n_goroutines += g == end;
    *g = (struct goroutine){(int64_t)e->args[0], e->time, e->to};
}

static void note(struct counted *c, const struct gotrace_event *e)
{
    if (c->by_type[GOTRACE_EV_SYNC] == 0)
        c->first = e->time;
    if (e->kind == GOTRACE_SYNC && e->args[1] != 0)
        c->sync = e->time;
    if (e->kind == GOTRACE_GO_STATE && e->from != e->to)
        note_state(c, e);
    c->last = e->time;
    c->by_type[e->type]++;
}

static void count(const char *data, size_t n, struct counted *ret)
{
    struct source source = {data, n};
    const struct gotrace_event *e;
    struct gotrace *trace;

    memset(ret, 0, sizeof(*ret));
    assert_int_equal(gotrace_open(NULL, give, &source, &trace), 0);
    while ((ret->code = gotrace_next(trace, &e)) > 0)
        note(ret, e);
    for (size_t i = 0; i < ret->n_goroutines; i++)
        ret->times[ret->goroutines[i].state] += ret->last - ret->goroutines[i].since;
    ret->error = gotrace_last_error(trace);
    (void)snprintf(ret->text, sizeof(ret->text), "%s", ret->error.text ? ret->error.text : "");
    gotrace_close(trace);
}

/* False: there is nothing to sum up. */
static bool compare(const char *data, size_t n)
{
    struct source source = {data, n};
    static struct counted seen;
    struct gotrace *trace;
    struct summary sums;
    int r;

    count(data, n, &seen);
    assert_int_equal(gotrace_open(NULL, give, &source, &trace), 0);
    r = summary_run(trace, &sums);
    gotrace_close(trace);
    if (r < 0) {
        assert_int_equal(r, seen.code);
        return false;
    }
    /* Who spans hours is cut, and not by the reader. */
    if (seen.last - seen.first < INT64_C(1) << 43) {
        assert_int_equal(sums.code, seen.code);
        assert_memory_equal(sums.events.by_type, seen.by_type, sizeof(seen.by_type));
        assert_int_equal(sums.start, seen.first);
        assert_int_equal(sums.window, seen.last - seen.first);
        assert_int_equal(sums.offset, seen.error.offset);
        assert_string_equal(sums.why, seen.text);
        assert_int_equal(sums.goroutines.running, seen.times[GOTRACE_GO_RUNNING]);
        assert_int_equal(sums.goroutines.runnable, seen.times[GOTRACE_GO_RUNNABLE]);
        assert_int_equal(sums.goroutines.in_syscall, seen.times[GOTRACE_GO_SYSCALL]);
        assert_int_equal(sums.goroutines.created, seen.created);
        assert_int_equal(sums.goroutines.ended, seen.ended);
        assert_int_equal(sums.syscalls.count, seen.syscalls);
    }
    summary_done(&sums);
    return true;
}

static void read_seed(const char *name, struct buf *ret)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/summary/%s",
                   getenv("CONTRACE_SRC_DIR"), name);
    buf_init(ret, TRACE_MAX);
    assert_int_equal(buf_read_file(ret, path), 0);
    assert_true(ret->len > 1000);
}

static void test_whole(void **state)
{
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        read_seed(seeds[i], &b);
        assert_true(compare(b.data, b.len));
        buf_done(&b);
    }
}

static void test_cut(void **state)
{
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        read_seed(seeds[i], &b);
        for (size_t n = 0; n < b.len; n += 97)
            (void)compare(b.data, n);
        buf_done(&b);
    }
}

static void test_damaged(void **state)
{
    unsigned summed = 0, seed = 20261121;
    struct buf b;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        read_seed(seeds[i % 4], &b);
        for (int j = rand_r(&seed) % 3; j >= 0; j--)
            b.data[16 + (size_t)rand_r(&seed) % (b.len - 16)] = (char)rand_r(&seed);
        summed += compare(b.data, b.len);
        buf_done(&b);
    }
    assert_true(summed > ROUNDS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
