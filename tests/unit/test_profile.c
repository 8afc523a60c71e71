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
#include "trace/profile/profile.h"
#include "trace/reader/specs.h"

struct source {
    size_t at;
};

static ssize_t give(void *userdata, void *data, size_t n)
{
    struct source *s = userdata;

    if (n > rawtrace.n - s->at)
        n = rawtrace.n - s->at;
    memcpy(data, rawtrace.data + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static int pass(struct profile *p, int (*run)(struct profile *, struct gotrace *))
{
    struct source source = {0};
    struct gotrace *t;
    int r;

    assert_int_equal(gotrace_open(NULL, give, &source, &t), 0);
    r = run(p, t);
    if (r == -E2BIG)
        assert_int_equal(gotrace_last_error(t).code, 0);
    gotrace_close(t);
    return r;
}

static int run(struct profile *p)
{
    int r = profile_needs_scan(p) ? 1 : pass(p, profile_count);

    if (r != 1)
        return r;
    assert_int_equal(pass(p, profile_scan), 0);
    return pass(p, profile_count);
}

/* All counts of the profile, and all nanoseconds. */
static void check(const struct profile_options *o, int code, uint64_t count, int64_t ns)
{
    const struct sums *s;
    struct profile *p;

    assert_int_equal(profile_new(o, &p), 0);
    assert_int_equal(run(p), code);
    s = profile_sums(p);
    for (size_t i = 0; i < s->n_stacks; i++) {
        count -= s->stacks[i].count;
        ns -= s->stacks[i].ns;
    }
    assert_int_equal(count, 0);
    assert_int_equal(ns, 0);
    profile_free(p);
}

static void check_kind(enum profile_kind kind, uint64_t count, int64_t ns)
{
    check(&(struct profile_options){.kind = kind}, 0, count, ns);
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

/*
 * Goroutine 1 waits for 200 ns, and for 200 ns for its P. Goroutine 2 waits for its first run,
 * which does not count, and in the end for a P, which it does not get. Two units of the trace's
 * clock are a nanosecond: these are at 200, 300, …, 700 ns.
 */
static void put_turns(void)
{
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT3(GO_START, 200, 2, 1);
    EVENT4(GO_UNBLOCK, 200, 1, 1, 7);
    EVENT3(GO_STOP, 200, 4, 7);
    EVENT3(GO_START, 200, 1, 2);
}

static void test_kinds(void **state)
{
    (void)state;
    begin();
    put_turns();
    end();
    check_kind(PROFILE_SCHED, 1, 200);
    check_kind(PROFILE_SYNC, 1, 200);
    check_kind(PROFILE_NET, 0, 0);
    check_kind(PROFILE_SYSCALL, 0, 0);
}

static void test_stack(void **state)
{
    const struct profile_options o = {.kind = PROFILE_SYNC};
    const struct sums_frame *f;
    const struct sums *s;
    struct profile *p;

    (void)state;
    begin();
    put_turns();
    end();
    assert_int_equal(profile_new(&o, &p), 0);
    assert_int_equal(run(p), 0);
    s = profile_sums(p);
    assert_int_equal(s->n_stacks, 1);
    assert_int_equal(s->stacks[0].n, 2);
    f = &s->frames[s->rows[s->stacks[0].offset + 1]];
    assert_int_equal(f->pc, 200);
    assert_int_equal(f->line, 11);
    assert_memory_equal(s->texts + s->strings[s->functions[f->function].name].offset, "main.main",
                        9);
    profile_free(p);
}

/* When the trace's first event is, in nanoseconds. */
static uint64_t first_time(void)
{
    const struct gotrace_event *e;
    struct source source = {0};
    struct gotrace *t;
    uint64_t time;

    assert_int_equal(gotrace_open(NULL, give, &source, &t), 0);
    assert_int_equal(gotrace_next(t, &e), 1);
    time = (uint64_t)e->time;
    gotrace_close(t);
    return time;
}

static void check_window(uint64_t since, uint64_t until, uint64_t count, int64_t ns)
{
    uint64_t first = first_time();

    check(&(struct profile_options){.kind = PROFILE_SYNC,
                                    .since = since ? since - first : 0,
                                    .until = until ? until - first : 0},
          0, count, ns);
}

static void test_window(void **state)
{
    (void)state;
    begin();
    put_turns();
    end();
    assert_in_range(first_time(), 0, 100);
    check_window(400, 0, 1, 100);
    check_window(0, 320, 1, 20);
    check_window(310, 320, 1, 10);
    check_window(500, 0, 0, 0);
    check_window(0, 300, 0, 0);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .since = UINT64_MAX}, 0, 0, 0);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .until = UINT64_MAX}, 0, 1, 200);
}

/* On thread 6: a syscall that was there before the trace ends without a P. */
static void put_old_syscall(void)
{
    rawtrace_begin_batch(6, 200);
    EVENT4(GO_STATUS, 1, 3, 6, G_SYSCALL);
    EVENT1(GO_SYSCALL_END_BLOCKED, 200);
    rawtrace_end_batch();
}

static void test_before_the_first_run(void **state)
{
    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    put_old_syscall();
    rawtrace_begin_running(1000);
    end();
    check_kind(PROFILE_SYSCALL, 1, 100);
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    put_old_syscall();
    rawtrace_begin_running(1000);
    EVENT3(GO_STOP, 1, 4, 7);
    EVENT3(GO_START, 1, 3, 1);
    end();
    check_kind(PROFILE_SYSCALL, 0, 0);
}

/* The next generation has the same stack under another number, and is whole or not. */
static void put_second_generation(bool whole)
{
    rawtrace_sync();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(11, "main.inner");
    rawtrace_string(12, "main.main");
    rawtrace_string(13, "a.go");
    rawtrace_string(14, "chan receive");
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    rawtrace_event(EV_STACK, 2, U(1), U(2));
    for (unsigned i = 0; i < 2; i++) {
        rawtrace_number(&rawtrace_batch, 100 * (i + 1));
        rawtrace_number(&rawtrace_batch, 11 + i);
        rawtrace_number(&rawtrace_batch, 13);
        rawtrace_number(&rawtrace_batch, 10 + i);
    }
    rawtrace_end_batch();
    rawtrace_begin_running(2000);
    EVENT3(GO_BLOCK, 200, 14, 1);
    EVENT4(GO_STATUS, 1, 2, UINT64_MAX, G_RUNNABLE);
    EVENT3(GO_START, 200, 2, 1);
    EVENT4(GO_UNBLOCK, 100, 1, 1, 1);
    if (!whole)
        EVENT3(GO_START, 100, 1, 77);
    rawtrace_end_batch();
    rawtrace_end_generation();
}

static void test_generations(void **state)
{
    struct profile_options o = {.kind = PROFILE_SYNC};
    struct profile *p;

    (void)state;
    begin();
    put_turns();
    end();
    put_second_generation(true);
    check(&o, 0, 2, 200 + 150);
    assert_int_equal(profile_new(&o, &p), 0);
    assert_int_equal(run(p), 0);
    assert_int_equal(profile_sums(p)->n_stacks, 1);
    profile_free(p);

    begin();
    put_turns();
    end();
    put_second_generation(false);
    check(&o, -EBADMSG, 1, 200);
}

/* What a goroutine waits for in one generation, and is said to in the next, is one wait. */
static void test_restated(void **state)
{
    (void)state;
    begin();
    EVENT4(GO_CREATE, 200, 2, 7, 7);
    EVENT3(GO_BLOCK, 200, 4, 7);
    EVENT3(GO_START, 200, 2, 1);
    end();
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_batch(5, 2000);
    EVENT3(PROC_STATUS, 0, 0, P_RUNNING);
    EVENT4(GO_STATUS, 0, 2, 5, G_RUNNING);
    EVENT4(GO_STATUS, 100, 1, UINT64_MAX, G_WAITING);
    EVENT4(GO_UNBLOCK, 100, 1, 1, 7);
    end();
    check_kind(PROFILE_SYNC, 1, 1100 - 300);
}

static void test_reasons(void **state)
{
    static const struct {
        const char *text;
        bool sync, net;
    } reasons[] = {
        {"sync", true, false},
        {"select", true, false},
        {"chan receive", true, false},
        {"sync.(*Cond).Wait", true, false},
        {"network", false, true},
        {"networks", false, false},
        {"sleep", false, false},
        {"forever", false, false},
        {"", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        rawtrace_begin(26);
        rawtrace_sync();
        rawtrace_tables();
        rawtrace_begin_batch(UINT64_MAX, 1);
        rawtrace_number(&rawtrace_batch, EV_STRINGS);
        rawtrace_string(20, reasons[i].text);
        rawtrace_end_batch();
        rawtrace_begin_running(200);
        EVENT4(GO_CREATE, 200, 2, 7, 7);
        EVENT3(GO_BLOCK, 200, 20, 7);
        EVENT3(GO_START, 200, 2, 1);
        EVENT4(GO_UNBLOCK, 200, 1, 1, 7);
        end();
        check_kind(PROFILE_SYNC, reasons[i].sync, reasons[i].sync * 200);
        check_kind(PROFILE_NET, reasons[i].net, reasons[i].net * 200);
    }
}

static void test_regions(void **state)
{
    (void)state;
    begin();
    EVENT5(USER_TASK_BEGIN, 1, 40, 0, 3, 7);
    EVENT4(USER_REGION_BEGIN, 1, 40, 1, 7);
    put_turns();
    EVENT4(USER_REGION_END, 1, 40, 1, 7);
    end();
    check(&(struct profile_options){.kind = PROFILE_SYNC, .region = "main.inner"}, 0, 1, 200);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .region = "main.main"}, 0, 0, 0);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .task = "a.go"}, 0, 1, 200);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .task = "main.inner"}, 0, 0, 0);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .task = "a.go", .region = "sync"}, 0, 0,
          0);
    /* Goroutine 2 is created within it: what it waits for its first run counts, too. */
    check(&(struct profile_options){.kind = PROFILE_SCHED, .task = "a.go"}, 0, 2, 400);
    check(&(struct profile_options){.kind = PROFILE_SCHED, .region = "main.inner"}, 0, 1, 200);
}

static const char *text_of(const struct sums *s, uint32_t i)
{
    static char text[64];

    if (i == SUMS_NONE)
        return "-";
    (void)snprintf(text, sizeof(text), "%.*s", (int)s->strings[i].len,
                   s->texts + s->strings[i].offset);
    return text;
}

/* Whether there are so many samples with this label, and no others. */
static void check_label(enum profile_kind kind, uint64_t count, const char *task,
                        const char *region, const char *reason)
{
    const struct sums *s;
    struct profile *p;

    assert_int_equal(profile_new(&(struct profile_options){.kind = kind, .labels = true}, &p), 0);
    assert_int_equal(run(p), 0);
    s = profile_sums(p);
    for (size_t i = 0; i < s->n_stacks; i++) {
        const struct sums_stack *stack = &s->stacks[i];
        struct sums_label l = {SUMS_NONE, SUMS_NONE, SUMS_NONE};

        if (stack->count == 0)
            continue;
        if (stack->label != SUMS_NONE)
            l = s->labels[stack->label];
        assert_string_equal(text_of(s, l.task), task);
        assert_string_equal(text_of(s, l.region), region);
        assert_string_equal(text_of(s, l.reason), reason);
        count -= stack->count;
    }
    assert_int_equal(count, 0);
    profile_free(p);
}

/* The region and task which began last and are not over; that of a task that is over is none. */
static void test_labels(void **state)
{
    (void)state;
    begin();
    EVENT5(USER_TASK_BEGIN, 1, 40, 0, 3, 7);
    EVENT4(USER_REGION_BEGIN, 1, 40, 1, 7);
    put_turns();
    end();
    check_label(PROFILE_SYNC, 1, "a.go", "main.inner", "sync");
    begin();
    EVENT4(USER_REGION_BEGIN, 1, 0, 1, 7);
    EVENT5(USER_TASK_BEGIN, 1, 40, 0, 3, 7);
    EVENT4(USER_REGION_BEGIN, 1, 0, 2, 7);
    EVENT4(USER_REGION_END, 1, 0, 1, 7);
    put_turns();
    end();
    check_label(PROFILE_SYNC, 1, "a.go", "main.main", "sync");
    begin();
    EVENT5(USER_TASK_BEGIN, 1, 40, 0, 3, 7);
    EVENT3(USER_TASK_END, 1, 40, 7);
    put_turns();
    end();
    check_label(PROFILE_SYNC, 1, "-", "-", "sync");
}

/* A region that was there before the trace, and one that has no end in it. */
static void test_regions_cut(void **state)
{
    (void)state;
    begin();
    put_turns();
    EVENT4(USER_REGION_END, 1, 0, 1, 7);
    EVENT4(USER_REGION_BEGIN, 1, 0, 2, 7);
    end();
    check(&(struct profile_options){.kind = PROFILE_SYNC, .region = "main.inner"}, 0, 1, 200);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .region = "main.main"}, 0, 0, 0);
    begin();
    EVENT4(USER_REGION_BEGIN, 1, 0, 2, 7);
    put_turns();
    end();
    check(&(struct profile_options){.kind = PROFILE_SYNC, .region = "main.main"}, 0, 1, 200);
}

/* Regions that end in another order than they began: each from its own begin to its own end. */
static void test_regions_misnested(void **state)
{
    (void)state;
    begin();
    EVENT4(USER_REGION_BEGIN, 1, 0, 1, 7);
    EVENT4(USER_REGION_BEGIN, 1, 0, 2, 7);
    EVENT4(USER_REGION_END, 1, 0, 1, 7);
    EVENT4(USER_REGION_END, 1, 0, 1, 7);
    put_turns();
    EVENT4(USER_REGION_END, 1, 0, 2, 7);
    end();
    check(&(struct profile_options){.kind = PROFILE_SYNC, .region = "main.inner"}, 0, 0, 0);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .region = "main.main"}, 0, 1, 200);
}

static void test_bound(void **state)
{
    (void)state;
    begin();
    put_turns();
    end();
    for (size_t max = 1; max < 1000; max += 100)
        check(&(struct profile_options){.kind = PROFILE_SYNC, .max_memory = max}, -E2BIG, 0, 0);
    check(&(struct profile_options){.kind = PROFILE_SYNC, .max_memory = 1 << 20}, 0, 1, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_before_the_first_run),
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_restated),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_regions_cut),
        cmocka_unit_test(test_regions_misnested),
        cmocka_unit_test(test_bound),
    };

    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
