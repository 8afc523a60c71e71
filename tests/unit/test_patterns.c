/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "trace/schedtrace/patterns.h"
#include "trace/schedtrace/schedlog.h"

/* A log of one process is written as it would be printed, and the patterns of it are looked for. */

static struct schedlog *logged;
static struct patterns found;

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

struct row {
    unsigned ms, idle, threads, idle_threads, global, queue[2], tick[2];
};

static void say_row(const struct row *r)
{
    say("SCHED %ums: gomaxprocs=2 idleprocs=%u threads=%u spinningthreads=0 needspinning=0 "
        "idlethreads=%u runqueue=%u [ %u %u ] schedticks=[ %u %u ]",
        r->ms, r->idle, r->threads, r->idle_threads, r->global, r->queue[0], r->queue[1],
        r->tick[0], r->tick[1]);
}

/* The same of Go 1.24. */
static void say_old_row(const struct row *r)
{
    say("SCHED %ums: gomaxprocs=2 idleprocs=%u threads=%u spinningthreads=0 needspinning=0 "
        "idlethreads=%u runqueue=%u [%u %u]",
        r->ms, r->idle, r->threads, r->idle_threads, r->global, r->queue[0], r->queue[1]);
}

static void say_detailed(unsigned ms, unsigned idle, const char *gcwaiting)
{
    say("SCHED %ums: gomaxprocs=2 idleprocs=%u threads=5 spinningthreads=0 needspinning=0 "
        "idlethreads=1 runqueue=0 gcwaiting=%s nmidlelocked=0 stopwait=0 sysmonwait=false",
        ms, idle, gcwaiting);
}

static void say_p(unsigned id, unsigned status, unsigned tick, unsigned queue)
{
    say("  P%u: status=%u schedtick=%u syscalltick=1 m=%u runqsize=%u gfreecnt=0 timerslen=0", id,
        status, tick, id, queue);
}

static const struct pattern *look(const char *code)
{
    const struct pattern *p = NULL;

    assert_int_equal(schedlog_finish(logged), 0);
    assert_int_equal(processes_count(schedlog_processes(logged)), 1);
    patterns_look(processes_get(schedlog_processes(logged), 0), &found);
    for (size_t i = 0; i < PATTERNS_N; i++) {
        assert_true(i == 0 || found.list[i - 1].score >= found.list[i].score);
        assert_int_equal(found.list[i].score >= 0.5, i < found.found);
        if (strcmp(found.list[i].code, code) == 0)
            p = &found.list[i];
    }
    assert_non_null(p);
    return p;
}

static double number(const struct pattern *p, const char *name)
{
    for (size_t i = 0; i < p->n_numbers; i++)
        if (strcmp(p->numbers[i].name, name) == 0)
            return p->numbers[i].value;
    fail_msg("%s is not told", name);
    return 0;
}

static void assert_only(const char *code)
{
    const struct pattern *p = look(code);

    assert_int_equal(found.found, 1);
    assert_string_equal(found.list[0].code, code);
    assert_true(p->n_proofs > 0 && p->says[0] && p->limits && p->next);
}

/* Ps that are busy, each with a turn every 20 ms, and nothing else. */
static struct row busy(unsigned i, unsigned global)
{
    return (struct row){
        .ms = 100 * i, .threads = 5, .idle_threads = 1, .global = global, .tick = {5 * i, 5 * i}};
}

static void test_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct row r = busy(i, 4);

        say_row(&r);
    }
    (void)look("m-starvation");
    assert_int_equal(found.found, 0);
    assert_false(found.too_few);
    for (size_t i = 0; i < PATTERNS_N; i++)
        assert_true(found.list[i].score < 0.5 && found.list[i].says[0]);
}

static void test_too_few(void **state)
{
    (void)state;
    for (unsigned i = 0; i + 1 < PATTERN_SNAPSHOTS; i++) {
        struct row r = {.ms = 100 * i, .threads = 100, .idle = 2};

        say_row(&r);
    }
    assert_true(look("syscall-storm")->score <= 0);
    assert_true(found.too_few);
}

static void test_storm(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct row r = {.ms = 100 * i, .idle = 2, .threads = 70, .idle_threads = 1, .tick = {i, i}};

        say_row(&r);
    }
    assert_only("syscall-storm");
    assert_float_equal(number(look("syscall-storm"), "in_calls_mean"), 67, 1e-9);
    assert_non_null(look("syscall-storm")->lacking);
}

/* Threads that are parked are left of a storm that is over. */
static void test_parked_threads(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct row r = {
            .ms = 100 * i, .idle = 2, .threads = 70, .idle_threads = 68, .tick = {i, i}};

        say_row(&r);
    }
    assert_true(look("syscall-storm")->score <= 0);
    assert_int_equal(found.found, 0);
}

/* Two Ps with these numbers of calls would be a storm; 64 are not. */
static void test_many_ps(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++)
        say("SCHED %ums: gomaxprocs=64 idleprocs=60 threads=60 spinningthreads=0 idlethreads=10 "
            "runqueue=0 [ 0 0 ]",
            100 * i);
    assert_true(look("syscall-storm")->score > 0);
    assert_int_equal(found.found, 0);
}

static void test_queue_with_idle_p(void **state)
{
    const struct pattern *p;

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct row r = busy(i, 0);

        r.idle = i % 2;
        r.queue[0] = i % 2 ? 3 : 0;
        say_row(&r);
    }
    assert_only("m-starvation");
    p = look("m-starvation");
    assert_float_equal(number(p, "queue_with_idle_p_share"), 5.0 / 9, 1e-9);
    assert_int_equal(p->proofs[0].line, 2);
    assert_non_null(strstr(p->says, "while a P is idle, in 5 of 9"));
}

static void test_late(void **state)
{
    static const unsigned at[] = {0, 100, 200, 700, 800, 1300, 1400, 1900, 2000};
    const struct pattern *p;

    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        struct row r = {.ms = at[i], .idle = 2, .threads = 5, .idle_threads = 2, .tick = {i, i}};

        say_row(&r);
    }
    assert_only("m-starvation");
    p = look("m-starvation");
    assert_float_equal(number(p, "late_share"), 0.6, 1e-9);
    assert_float_equal(number(p, "late_max_ms"), 400, 1e-9);
    assert_non_null(strstr(p->says, "up to 400 ms"));
    /* The line before, and the one that came late. */
    assert_int_equal(p->proofs[0].line, 3);
    assert_int_equal(p->proofs[1].line, 4);
}

/* What a panic prints comes early, and makes none of the others late. */
static void test_panic(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct row r = {.ms = 1000 * i, .idle = 2, .threads = 5, .idle_threads = 2, .tick = {i, i}};

        say_row(&r);
    }
    say_detailed(9020, 2, "false");
    say_p(0, 1, 10, 0);
    assert_float_equal(number(look("m-starvation"), "late_share"), 0, 1e-9);
    assert_int_equal(found.found, 0);
}

/* One gap is chance, or a log that lost lines. */
static void test_late_once(void **state)
{
    static const unsigned at[] = {0, 100, 200, 1700, 1800, 1900};

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct row r = {.ms = at[i], .idle = 2, .threads = 5, .idle_threads = 2, .tick = {i, i}};

        say_row(&r);
    }
    (void)look("m-starvation");
    assert_int_equal(found.found, 0);
}

static void test_long_turns(void **state)
{
    const struct pattern *p;

    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        struct row r = busy(i, 20);

        r.tick[0] = r.tick[1] = i; /* one in 100 ms */
        say_row(&r);
    }
    assert_only("m-starvation");
    p = look("m-starvation");
    assert_float_equal(number(p, "turn_ms"), 100, 1e-9);
    assert_non_null(strstr(p->says, "a turn takes 100 ms"));
}

/* Without ticks that cannot be told, and it is said. */
static void test_long_turns_untold(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        struct row r = busy(i, 20);

        say_old_row(&r);
    }
    assert_true(look("m-starvation")->score <= 0);
    assert_non_null(look("m-starvation")->lacking);
    /* Of a deep queue nobody knows who woke it. */
    assert_true(look("netpoller-saturation")->score > 0.4);
    assert_non_null(look("netpoller-saturation")->lacking);
    assert_int_equal(found.found, 0);
}

static void say_gc(unsigned cycle, double at, double pause, double assist)
{
    say("gc %u @%.3fs 1%%: %g+2+0.001 ms clock, 1+%g/5/6+7 ms cpu, 10->12->8 MB, 20 MB goal, 2 P",
        cycle, at, pause, assist);
}

static void say_with_cycles(double pause, double assist)
{
    for (unsigned i = 0; i < 11; i++) {
        struct row r = busy(i, 0);

        if (i > 0)
            say_gc(i, i * 0.1 - 0.05, pause, assist);
        say_row(&r);
    }
}

static void test_long_pauses(void **state)
{
    const struct pattern *p;

    (void)state;
    say_with_cycles(0.05, 0);
    say_gc(11, 1.05, 55, 0);
    assert_only("gc-stall");
    p = look("gc-stall");
    assert_float_equal(number(p, "pause_max_ms"), 55.001, 1e-9);
    assert_float_equal(number(p, "cycles"), 11, 1e-9);
    assert_int_equal(p->proofs[0].line, 22);
    assert_non_null(strstr(p->proofs[0].text, "gc 11 @"));
}

static void test_assists(void **state)
{
    (void)state;
    say_with_cycles(0.05, 60);
    assert_only("gc-stall");
    assert_float_equal(number(look("gc-stall"), "assist_share"), 0.3, 1e-9);
}

static void test_good_cycles(void **state)
{
    (void)state;
    say_with_cycles(0.05, 1);
    assert_true(look("gc-stall")->score > 0);
    assert_null(look("gc-stall")->lacking);
    assert_int_equal(found.found, 0);
}

/* From the collector's lines alone. */
static void test_only_cycles(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 6; i++)
        say_gc(i, i * 0.1, 30, 0);
    assert_only("gc-stall");
    assert_false(found.too_few);
    assert_non_null(look("stuck-p")->lacking);
}

static void say_m(unsigned id, unsigned g)
{
    say("  M%u: p=%u curg=%u mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning=false "
        "blocked=false lockedg=nil",
        id, id, g);
}

static void test_stopped(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        say_detailed(100 * i, 0, i % 2 ? "true" : "false");
        say_p(0, 1, 5 * i, 0);
        say_p(1, 3, 5 * i, 0);
    }
    assert_only("gc-stall");
    assert_float_equal(number(look("gc-stall"), "stopped_snapshots"), 4, 1e-9);
}

static void test_assisting(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        say_detailed(100 * i, 0, "false");
        say_p(0, 1, 5 * i, 0);
        say_p(1, 1, 5 * i, 0);
        say("  G7: status=4(GC assist marking) m=nil lockedm=nil");
        say("  G8: status=4(GC assist wait) m=nil lockedm=nil");
    }
    assert_only("gc-stall");
}

static void say_woken(unsigned n, const char *reason)
{
    for (unsigned i = 0; i < 8; i++) {
        say_detailed(100 * i, 0, "false");
        say_p(0, 1, 5 * i, n / 2);
        say_p(1, 1, 5 * i, n / 2);
        for (unsigned g = 0; g < n; g++)
            say("  G%u: status=1(%s) m=nil lockedm=nil", g + 10, reason);
    }
}

static void test_woken_by_network(void **state)
{
    (void)state;
    say_woken(40, "IO wait");
    assert_only("netpoller-saturation");
    assert_float_equal(number(look("netpoller-saturation"), "woken_per_p"), 20.0 * 7 / 7, 1e-9);
    assert_null(look("netpoller-saturation")->lacking);
}

static void test_woken_by_others(void **state)
{
    (void)state;
    say_woken(40, "chan receive");
    assert_true(look("netpoller-saturation")->score <= 0);
    assert_int_equal(found.found, 0);
}

static void say_stuck(unsigned n, unsigned g_changes_at, unsigned tick_changes_at)
{
    for (unsigned i = 0; i < n; i++) {
        say_detailed(200 * i, 1, "false");
        say_p(0, 1, 7 + (i >= tick_changes_at), 0);
        say_p(1, 0, 3, 0);
        say_m(0, 40 + (i >= g_changes_at));
    }
}

static void test_stuck(void **state)
{
    const struct pattern *p;

    (void)state;
    say_stuck(11, 100, 100);
    assert_only("stuck-p");
    p = look("stuck-p");
    assert_true(p->score > 0.66 && p->score < 0.67);
    assert_float_equal(number(p, "stuck_ms"), 2000, 1e-9);
    assert_float_equal(number(p, "p"), 0, 1e-9);
    assert_non_null(strstr(p->says, "P0 runs goroutine 40 for 2000 ms, in 11 snapshots"));
    assert_int_equal(p->proofs[0].line, 1);
}

static void test_not_stuck(void **state)
{
    (void)state;
    say_stuck(11, 2, 2);
    assert_true(look("stuck-p")->score >= 0.5); /* the rest is long enough */
}

static void test_other_goroutine(void **state)
{
    (void)state;
    say_stuck(5, 2, 100);
    assert_true(look("stuck-p")->score < 0.5);
    assert_int_equal(found.found, 0);
}

static void test_tick_moves(void **state)
{
    (void)state;
    say_stuck(5, 100, 2);
    assert_true(look("stuck-p")->score < 0.5);
}

/* One of two Ps is idle, and no tick passes on either: by the ticks alone. */
static void test_stuck_by_ticks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        struct row r = {.ms = 100 * i, .idle = 1, .threads = 4, .idle_threads = 1, .tick = {2, 5}};

        say_row(&r);
    }
    assert_only("stuck-p");
    assert_non_null(strstr(look("stuck-p")->says, "or another one"));
    assert_non_null(look("stuck-p")->lacking);
}

static void test_idle_ticks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        struct row r = {.ms = 100 * i, .idle = 2, .threads = 4, .idle_threads = 2, .tick = {2, 5}};

        say_row(&r);
    }
    assert_true(look("stuck-p")->score <= 0);
    assert_int_equal(found.found, 0);
}

/* A queue that stays while another P is idle, in the form without ticks. It is M starvation, too. */
static void test_queue_stays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        struct row r = {
            .ms = 100 * i, .idle = 1, .threads = 4, .idle_threads = 1, .queue = {0, 12}};

        say_old_row(&r);
    }
    assert_true(look("stuck-p")->score >= 0.5);
    assert_float_equal(number(look("stuck-p"), "p"), 1, 1e-9);
    assert_non_null(strstr(look("stuck-p")->says, "P1 keeps a queue for 2900 ms"));
}

/* GOMAXPROCS changes in between: a P that is new has no past. */
static void test_ps_come_and_go(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        if (i / 5 % 2)
            say("SCHED %ums: gomaxprocs=1 idleprocs=0 threads=4 spinningthreads=0 needspinning=0 "
                "idlethreads=1 runqueue=0 [ 0 ] schedticks=[ %u ]",
                100 * i, 5 * i);
        else
            say("SCHED %ums: gomaxprocs=2 idleprocs=0 threads=4 spinningthreads=0 needspinning=0 "
                "idlethreads=1 runqueue=0 [ 0 0 ] schedticks=[ %u 9 ]",
                100 * i, 5 * i);
    }
    assert_true(look("stuck-p")->score < 0.5);
    assert_float_equal(number(look("stuck-p"), "stuck_ms"), 400, 1e-9);
}

static int setup(void **state)
{
    (void)state;
    return schedlog_new(NULL, NULL, &logged);
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
        TEST(test_nothing),
        TEST(test_too_few),
        TEST(test_storm),
        TEST(test_parked_threads),
        TEST(test_many_ps),
        TEST(test_queue_with_idle_p),
        TEST(test_late),
        TEST(test_late_once),
        TEST(test_panic),
        TEST(test_long_turns),
        TEST(test_long_turns_untold),
        TEST(test_long_pauses),
        TEST(test_assists),
        TEST(test_good_cycles),
        TEST(test_only_cycles),
        TEST(test_stopped),
        TEST(test_assisting),
        TEST(test_woken_by_network),
        TEST(test_woken_by_others),
        TEST(test_stuck),
        TEST(test_not_stuck),
        TEST(test_other_goroutine),
        TEST(test_tick_moves),
        TEST(test_stuck_by_ticks),
        TEST(test_idle_ticks),
        TEST(test_queue_stays),
        TEST(test_ps_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
