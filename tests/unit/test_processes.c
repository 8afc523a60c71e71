/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/allocations.h"
#include "trace/schedtrace/schedlog.h"

static struct schedlog *logged;
static unsigned whole; /* snapshots that were handed on */
static char order[64]; /* by whom they are, as digits */

static void on_snapshot(void *userdata, const struct process *p, const struct snapshot *s)
{
    (void)userdata;
    assert_ptr_equal(s, p->list[p->n - 1]);
    if (whole < sizeof(order) - 1)
        order[whole] = (char)('0' + p->number % 10);
    whole++;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text) - 1, format, ap);
    va_end(ap);
    (void)strcat(text, "\n");
    assert_int_equal(schedlog_feed(logged, text, strlen(text)), 0);
}

static void say_sched(const char *prefix, unsigned ms, unsigned threads)
{
    say("%sSCHED %ums: gomaxprocs=2 idleprocs=1 threads=%u spinningthreads=0 idlethreads=1 "
        "runqueue=0 [0 0]",
        prefix, ms, threads);
}

static void say_gc(unsigned cycle, double at)
{
    say("gc %u @%.3fs 1%%: 1+2+3 ms clock, 1+4/5/6+7 ms cpu, 10->12->%u MB, 20 MB goal, 2 P", cycle,
        at, cycle);
}

static const struct process *get(size_t i)
{
    return processes_get(schedlog_processes(logged), i);
}

static size_t count(void)
{
    return processes_count(schedlog_processes(logged));
}

static void test_sources(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        say_sched("2026-11-29T22:11:06Z web-1: ", 1000 * i, 4);
        say_sched("2026-11-29T22:11:06Z web-2: ", 1000 * i + 5000, 4);
        say("nothing of it");
    }
    assert_int_equal(count(), 2);
    assert_string_equal(get(0)->source, "web-1:");
    assert_string_equal(get(1)->source, "web-2:");
    assert_int_equal(get(0)->n, 3);
    assert_int_equal(get(1)->list[2]->ms, 7000);
    assert_int_equal(get(1)->first_line, 2);
    assert_int_equal(get(1)->last_line, 8);
    assert_int_equal(process_window(get(0)), 2000);
    assert_int_equal(process_interval(get(0)), 1000);
    assert_string_equal(order, "121212");
    /* What the program printed before, without an end of the line, is no source. */
    say_sched("listening", 3000, 4);
    assert_int_equal(count(), 3);
    assert_string_equal(get(2)->source, "");
}

/* A process that starts again, and one whose beginning is not in the log. */
static void test_restart(void **state)
{
    (void)state;
    say_sched("", 7000, 4);
    say_sched("", 8000, 4);
    say_sched("", 0, 4);
    say_sched("", 1000, 4);
    say_sched("", 2000, 4);
    say_sched("", 0, 4);
    assert_int_equal(count(), 3);
    assert_int_equal(get(0)->n, 2);
    assert_int_equal(get(1)->n, 3);
    assert_int_equal(get(2)->n, 1);
}

/* Two of one source at the same pace: times and threads tell them apart. */
static void test_mixed(void **state)
{
    static const unsigned a[] = {0, 106, 213, 318, 418, 520, 627};
    static const unsigned b[] = {0, 107, 208, 310, 411, 514, 617};

    (void)state;
    for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++) {
        say_sched("", a[i], 7);
        say_sched("", b[i], 5);
    }
    assert_int_equal(count(), 2);
    for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++) {
        assert_int_equal(get(0)->list[i]->ms, a[i]);
        assert_int_equal(get(1)->list[i]->ms, b[i]);
    }
}

/* Ticks that fall are of another process, unless they went round. */
static void test_ticks(void **state)
{
    static const unsigned ticks[] = {UINT32_MAX - 5, 5000100, UINT32_MAX - 1, 5000120, 3, 5000130};

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        say("SCHED %ums: gomaxprocs=1 idleprocs=1 threads=4 spinningthreads=0 needspinning=0 "
            "idlethreads=1 runqueue=0 [ 0 ] schedticks=[ %u ]",
            100 * (i + 1), ticks[i]);
    assert_int_equal(count(), 2);
    assert_int_equal(get(0)->n, 3);
    assert_int_equal(get(1)->n, 3);
    assert_int_equal(get(0)->list[2]->ps[0].tick, 3);
    assert_true(get(0)->ticks && get(0)->needspinning);
}

static void test_cycles(void **state)
{
    struct process_gcs gcs;

    (void)state;
    say_sched("", 0, 4);
    say_gc(1, 0.4);
    say_gc(2, 0.9);
    say_sched("", 1000, 4);
    say_gc(3, 1.5);
    assert_int_equal(count(), 1);
    assert_null(get(0)->list[0]->gcs);
    assert_int_equal(get(0)->list[1]->gcs->cycles, 2);
    assert_float_equal(get(0)->list[1]->gcs->pause_max, 4, 1e-9);
    assert_float_equal(get(0)->list[1]->gcs->pause_total, 8, 1e-9);
    assert_float_equal(get(0)->list[1]->gcs->assist_total, 8, 1e-9);
    assert_int_equal(get(0)->list[1]->gcs->peak, 12);
    assert_int_equal(get(0)->list[1]->gcs->live, 2);
    assert_int_equal(get(0)->list[1]->gcs->longest.line, 2);
    assert_int_equal(get(0)->pending.cycles, 1);
    process_gcs(get(0), &gcs);
    assert_int_equal(gcs.cycles, 3);
    assert_int_equal(gcs.live, 3);
    /* The numbers begin anew: another process. */
    say_gc(1, 0.1);
    assert_int_equal(count(), 2);
    assert_int_equal(get(1)->n, 0);
    assert_true(get(1)->any_gc);
}

static void say_detailed(unsigned ms, unsigned procs)
{
    say("SCHED %ums: gomaxprocs=%u idleprocs=0 threads=5 spinningthreads=0 needspinning=0 "
        "idlethreads=1 runqueue=3 gcwaiting=false nmidlelocked=1 stopwait=0 sysmonwait=false",
        ms, procs);
}

static void say_p(unsigned id, unsigned tick)
{
    say("  P%u: status=1 schedtick=%u syscalltick=9 m=%u runqsize=2 gfreecnt=0 timerslen=0", id,
        tick, id);
}

static void test_details(void **state)
{
    const struct snapshot *s;

    (void)state;
    say_detailed(0, 2);
    say_p(0, 7);
    say_p(1, 8);
    say("  M1: p=1 curg=17 mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning=false "
        "blocked=false lockedg=nil");
    say("  G1: status=4(IO wait) m=nil lockedm=nil");
    say("something else");
    say("  G2: status=1(IO wait) m=nil lockedm=nil");
    say("  G3: status=3(chan receive) m=3 lockedm=nil");
    say("  G4: status=2(GC assist marking) m=1 lockedm=nil");
    say("  G5: status=1(GC assist marking) m=nil lockedm=nil");
    say("  G6: status=6() m=nil lockedm=nil");
    assert_int_equal(whole, 0); /* more may come */
    schedlog_settle(logged);
    assert_int_equal(whole, 1);
    say("  G7: status=4(IO wait) m=nil lockedm=nil"); /* too late */
    s = get(0)->list[0];
    assert_int_equal(s->head.n, 2);
    assert_int_equal(s->ps[1].tick, 8);
    assert_int_equal(s->ps[1].syscalltick, 9);
    assert_int_equal(s->ps[1].g, 17);
    assert_int_equal(s->ps[0].g, -1);
    assert_int_equal(snapshot_queued(s), 7);
    assert_int_equal(snapshot_in_calls(s), 1);
    assert_int_equal(s->gs.n, 6);
    assert_int_equal(s->gs.runnable, 2);
    assert_int_equal(s->gs.runnable_io, 1);
    assert_int_equal(s->gs.waiting_io, 1);
    assert_int_equal(s->gs.assisting, 1);
    assert_int_equal(processes_stray(schedlog_processes(logged)), 1);
    /* One that is missing takes those behind it along, until the next snapshot. */
    say_detailed(100, 3);
    say_p(0, 9);
    say_p(2, 9);
    assert_int_equal(processes_stray(schedlog_processes(logged)), 2);
    assert_int_equal(get(0)->list[1]->head.n, 1);
    say_detailed(200, 2);
    assert_int_equal(whole, 2);
}

/* When a process panics it prints details, too. */
static void test_panic(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        say("SCHED %ums: gomaxprocs=2 idleprocs=1 threads=4 spinningthreads=0 needspinning=0 "
            "idlethreads=1 runqueue=0 [ 0 0 ] schedticks=[ %u 1 ]",
            1000 * i, i);
    say_detailed(2052, 2);
    say_p(0, 7);
    say_p(1, 8);
    say("panic: x");
    assert_int_equal(schedlog_finish(logged), 0);
    assert_int_equal(count(), 1);
    assert_int_equal(get(0)->n, 4);
    assert_false(process_detailed(get(0)));
}

static void test_threads_in_calls(void **state)
{
    (void)state;
    say_sched("", 0, 70);
    assert_int_equal(snapshot_in_calls(get(0)->list[0]), 70 - 1 - 1 - 2);
    say_sched("", 1000, 3);
    assert_int_equal(snapshot_in_calls(get(0)->list[1]), 0);
}

static void test_many_processes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PROCESSES_MAX + 5; i++)
        say_sched("", 0, 4);
    assert_int_equal(count(), PROCESSES_MAX);
    assert_int_equal(processes_forgotten(schedlog_processes(logged)), 5);
    assert_int_equal(get(0)->number, 6);
}

/* Memory ends to grow, and what is newest is there. */
static void test_many_snapshots(void **state)
{
    static char text[16384];
    const size_t each = sizeof(struct snapshot) + 1000 * sizeof(struct process_p);
    const unsigned n = (unsigned)(2 * PROCESSES_MEMORY_MAX / each);
    const struct process *p;

    (void)state;
    for (unsigned i = 0; i < n; i++) {
        int at = snprintf(
            text, sizeof(text),
            "SCHED %ums: gomaxprocs=1000 idleprocs=1 threads=4 idlethreads=1 runqueue=0 [", i);

        for (int j = 0; j < 1000; j++)
            at += snprintf(text + at, sizeof(text) - (size_t)at, " %d", j % 10);
        (void)snprintf(text + at, sizeof(text) - (size_t)at, " ]\n");
        assert_int_equal(schedlog_feed(logged, text, strlen(text)), 0);
        p = get(0);
        assert_true(p->n * each <= PROCESSES_MEMORY_MAX);
        assert_int_equal(p->list[p->n - 1]->ms, i);
    }
    assert_int_equal(p->n + p->forgotten, n);
    assert_true(p->n > n / 3);
}

/* Whatever allocation fails, it is told, and nothing is lost but the line. */
static void test_no_memory(void **state)
{
    static const char text[] =
        "SCHED 0ms: gomaxprocs=1 idleprocs=0 threads=4 idlethreads=1 runqueue=0 [ 0 ]\n"
        "gc 1 @0.018s 1%: 0.018+1.3+0.076 ms clock, 0+0/1.0/3.0+0.23 ms cpu, 4->4->3 MB, 5 MB goal, 4 P\n"
        "2026-11-29T22:11:06Z stderr P SCHED 1\n"
        "2026-11-29T22:11:06Z stderr F 0ms: gomaxprocs=1 idleprocs=0 threads=4 idlethreads=1 "
        "runqueue=0 [ 0 ]\n"
        "{\"MESSAGE\":\"\\u001b[1mSCHED 20ms: gomaxprocs=1 idleprocs=0 threads=4 idlethreads=1 "
        "runqueue=0 [ 0 ]\"}\n"
        "SCHED 30ms: gomaxprocs=1 idleprocs=0 threads=4 idlethreads=1 runqueue=0 [ 0 ]\n";
    size_t at;

    (void)state;
    for (at = 0;; at++) {
        struct schedlog *log = NULL;
        int r;

        allocations_made = 0;
        allocations_fail_at = at;
        allocations_fail_once = true;
        allocations_failing = true;
        r = schedlog_new(NULL, NULL, &log);
        for (size_t i = 0; r == 0 && i < sizeof(text) - 1; i += 50)
            r = schedlog_feed(log, text + i, i + 50 < sizeof(text) ? 50 : sizeof(text) - 1 - i);
        if (r == 0)
            r = schedlog_finish(log);
        allocations_failing = false;
        if (r == 0 && allocations_made <= at) {
            assert_int_equal(schedlog_counts(log).heads, 4);
            schedlog_free(log);
            break;
        }
        assert_int_equal(r, -ENOMEM);
        schedlog_free(log);
    }
    assert_true(at > 8);
}

static int setup(void **state)
{
    (void)state;
    whole = 0;
    (void)memset(order, 0, sizeof(order));
    return schedlog_new(on_snapshot, NULL, &logged);
}

static int teardown(void **state)
{
    (void)state;
    schedlog_free(logged);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sources),
        TEST(test_restart),
        TEST(test_mixed),
        TEST(test_ticks),
        TEST(test_cycles),
        TEST(test_details),
        TEST(test_panic),
        TEST(test_threads_in_calls),
        TEST(test_many_processes),
        TEST(test_many_snapshots),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
