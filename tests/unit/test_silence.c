/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/gotrace.h"
#include "trace/summary/silence.h"
#include "trace/summary/summary.h"

#define MS 1000000LL

static struct silences silences;
static struct summary_silences sums;

static void begin(void)
{
    memset(&silences, 0, sizeof(silences));
    memset(&sums, 0, sizeof(sums));
}

/* A silence of so many milliseconds that ends then. */
static void add(int64_t to, int64_t length, int64_t running, int64_t runnable, int64_t free)
{
    struct silence one = {
        .from = (to - length) * MS,
        .to = to * MS,
        .running = running,
        .runnable = runnable,
        .free = free,
    };

    silences_add(&silences, &one, &sums);
}

static void test_sums(void **state)
{
    (void)state;
    begin();
    add(100, 50, 1, 0, 1); /* one alone: perhaps it cannot be interrupted */
    add(300, 170, 2, 3, 0);
    add(400, 45, 0, 0, 2); /* nobody has anything to do */
    assert_int_equal(sums.count, 2);
    assert_int_equal(sums.total, 220 * MS);
    assert_int_equal(sums.longest, 170 * MS);
    assert_int_equal(sums.goroutines, (50 + 5 * 170) * MS);
    assert_int_equal(sums.kept.count, 1);
    assert_int_equal(sums.kept.total, 170 * MS);
}

/* While nobody had anything to run, the process was stopped if what comes regularly is late; others
 * that catch up are told apart. */
static void test_holes(void **state)
{
    (void)state;
    begin();
    add(500, 99, 0, 0, 2); /* too short */
    silences_late(&silences, true, 500 * MS, &sums);
    assert_int_equal(sums.missed.count, 0);
    add(1000, 400, 0, 0, 2);
    silences_late(&silences, true, 1003 * MS, &sums); /* too late: it has another reason */
    assert_int_equal(sums.missed.count, 0);
    for (unsigned i = 0; i < 5; i++)
        silences_late(&silences, false, 1001 * MS, &sums);
    assert_int_equal(sums.caught_up.count, 1);
    assert_int_equal(sums.caught_up.total, 400 * MS);
    for (unsigned i = 0; i < 2; i++)
        silences_late(&silences, true, 1001 * MS, &sums);
    assert_int_equal(sums.missed.count, 1); /* one hole, and counted once */
    assert_int_equal(sums.missed.longest, 400 * MS);
    assert_int_equal(sums.caught_up.count, 0);
    assert_int_equal(sums.count, 0);
}

/* What can only be the host's doing. */
static void test_kept(void **state)
{
    static const struct {
        struct silence one;
        bool kept;
    } cases[] = {
        {{.running = 1, .free = 3}, false},
        {{.running = 1, .runnable = 9, .free = 0}, false}, /* it has the only P */
        {{.running = 1, .runnable = 1, .free = 1}, true},
        {{.running = 2, .free = 0}, false}, /* each may have had its turn */
        {{.running = 2, .runnable = 5, .free = 0}, false},
        {{.running = 2, .runnable = 1, .free = 1}, false}, /* three that may wait for each other */
        {{.running = 3, .free = 0}, false}, /* on one CPU, they may wait for each other */
        {{.runnable = 3, .free = 7}, false},
        {{.runnable = 70, .free = 2}, true},
        {{.running = 0, .runnable = 1, .free = 2}, true},
        {{.running = 0, .runnable = 1, .free = 0}, false}, /* the collector has them all */
        {{.running = 2, .runnable = 2, .free = 2, .stopped = true}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct silence one = cases[i].one;

        begin();
        one.to = 50 * MS;
        silences_add(&silences, &one, &sums);
        assert_int_equal(sums.count, 1);
        assert_int_equal(sums.kept.count, cases[i].kept);
        assert_int_equal(sums.kept.longest, cases[i].kept ? 50 * MS : 0);
        assert_int_equal(sums.kept.queued, 0);
        one.queued = true;
        begin();
        silences_add(&silences, &one, &sums);
        assert_int_equal(sums.kept.queued, sums.kept.total);
        assert_int_equal(sums.kept.runnable, one.runnable * sums.kept.total);
    }
}

/* Where all Ps compute, it is the host's doing only if it lasts. */
static void test_kept_of_all(void **state)
{
    (void)state;
    begin();
    add(1000, 125, 2, 4, 0);
    assert_int_equal(sums.kept.count, 0);
    assert_int_equal(silences_since(&silences, 0), 125 * MS); /* but nobody ran for so long */
    add(2000, 126, 2, 4, 0);
    assert_int_equal(sums.kept.count, 1);
    add(3000, 140, 7, 4, 0); /* seven that may wait for each other */
    assert_int_equal(sums.kept.count, 1);
    add(4000, 141, 7, 4, 0);
    assert_int_equal(sums.kept.count, 2);
}

/* Nobody moves beside the one that runs, though a P is free. */
static void test_run_alone(void **state)
{
    static const struct {
        struct silence one;
        bool part;
    } cases[] = {
        {{.to = 100 * MS, .running = 1, .free = 1}, false},
        {{.to = 99 * MS, .running = 1, .free = 1}, true},
        {{.to = 100 * MS, .running = 1, .free = 0}, true},
        {{.to = 100 * MS, .running = 1, .free = 1, .stopped = true}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        silences_add(&silences, &cases[i].one, &sums);
        assert_int_equal(sums.kept.count, 0);
        assert_int_equal(silences_since(&silences, 0), cases[i].part ? 0 : 100 * MS);
    }
}

/* Ends near the same point of each period count together, also across its end. */
static void test_in_step(void **state)
{
    (void)state;
    begin();
    add(1098, 50, 2, 0, 0);
    add(1201, 50, 2, 0, 0);
    add(1302, 50, 2, 0, 0);
    add(1350, 41, 2, 0, 0);
    silences_finish(&silences, &sums);
    assert_int_equal(sums.count, 4);
    assert_int_equal(sums.in_step, 3);
    assert_int_equal(sums.in_step_total, 150 * MS);
}

/* Copies of 100 ms, one after the other, are no quota; many threads that stop at once are. */
static void test_one_after_the_other(void **state)
{
    (void)state;
    for (int running = 1; running < 3; running++) {
        begin();
        for (int64_t i = 1; i < 9; i++)
            add(100 * i + 5, 98, running, 0, 1);
        silences_finish(&silences, &sums);
        assert_int_equal(sums.count, 8);
        assert_int_equal(sums.in_step, running == 1 ? 1 : 8);
    }
}

static void test_since(void **state)
{
    (void)state;
    begin();
    assert_int_equal(silences_since(&silences, 0), 0);
    add(100, 50, 2, 0, 0);
    add(200, 60, 1, 0, 0); /* not kept */
    add(300, 80, 2, 0, 0);
    assert_int_equal(silences_since(&silences, 0), 130 * MS);
    assert_int_equal(silences_since(&silences, 70 * MS), 110 * MS);
    assert_int_equal(silences_since(&silences, 100 * MS), 80 * MS);
    assert_int_equal(silences_since(&silences, 290 * MS), 10 * MS);
    assert_int_equal(silences_since(&silences, 300 * MS), 0);
    for (int64_t i = 0; i < 3 * SILENCE_RECENT; i++)
        add(1000 + 50 * i, 45, 2, 0, 0);
    assert_int_equal(silences_since(&silences, 0), SILENCE_RECENT * 45 * MS);
}

/* Of two that seem to run one may wait for the other, until the collector or the tracer goes on. */
static void test_phase(void **state)
{
    (void)state;
    begin();
    add(200, 180, 2, 0, 0);
    silences_phase(&silences, 221 * MS, &sums);
    add(500, 170, 2, 0, 0);
    silences_phase(&silences, 501 * MS, &sums);
    silences_phase(&silences, 502 * MS, &sums);
    assert_int_equal(sums.count, 2);
    assert_int_equal(sums.kept.count, 1);
    assert_int_equal(sums.kept.total, 180 * MS);
    assert_int_equal(sums.kept.longest, 180 * MS);
    assert_int_equal(silences_since(&silences, 0), 180 * MS);
    add(1000, 250, 3, 0, 0); /* not all three */
    silences_phase(&silences, 1001 * MS, &sums);
    add(1200, 70, 2, 1, 1); /* nobody needs to wait */
    silences_phase(&silences, 1201 * MS, &sums);
    assert_int_equal(sums.kept.count, 3);
    add(1300, 70, 1, 0, 1);
    silences_phase(&silences, 1301 * MS, &sums);
    assert_int_equal(sums.kept.count, 3);
}

/* One that is taken back takes the place of none, however many came before. */
static void test_taken_back(void **state)
{
    (void)state;
    for (int64_t n = SILENCE_RECENT - 1; n < SILENCE_RECENT + 3; n++) {
        int64_t expected = (n < SILENCE_RECENT ? n : SILENCE_RECENT) * 70 * MS;

        begin();
        for (int64_t i = 0; i < n; i++)
            add(1000 + 100 * i, 70, 3, 0, 0);
        for (int64_t i = 0; i < 3; i++) {
            add(20000 + 1000 * i, 500, 2, 0, 0);
            silences_phase(&silences, (20001 + 1000 * i) * MS, &sums);
            assert_int_equal(silences_since(&silences, 0), expected);
        }
    }
}

/* Thread 5 begins at 0 with goroutine 1 on P 0, thread 6 with 2 on P 1, and GOMAXPROCS is n. The
 * clock's unit is half a nanosecond. */
static void begin_trace(unsigned n)
{
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_batch(6, 10);
    EVENT3(PROC_STATUS, 1, 1, P_RUNNING);
    EVENT4(GO_STATUS, 1, 2, 6, G_RUNNING);
    rawtrace_end_batch();
    rawtrace_begin_running(20);
    rawtrace_event(GOTRACE_EV_PROCS_CHANGE, 3, U(1), U(n), U(7));
}

static struct summary_silences sum_up_as(bool complete, int64_t *ret_hold,
                                         struct summary_long_runs *ret_long)
{
    struct summary_silences ret;
    struct gotrace *t;
    struct summary s;

    rawtrace_end_batch();
    rawtrace_end_generation();
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(summary_run(t, &s), 0);
    assert_int_equal(s.complete, complete);
    gotrace_close(t);
    ret = s.silences;
    *ret_hold = s.longest_hold.duration;
    *ret_long = s.long_runs;
    summary_done(&s);
    return ret;
}

static struct summary_silences sum_up(int64_t *ret_hold, struct summary_long_runs *ret_long)
{
    return sum_up_as(true, ret_hold, ret_long);
}

/* Interrupted goroutines: 1 stops, and starts again at once. */
#define STOP_AND_START(after, seq)       \
    do {                                 \
        EVENT3(GO_STOP, after, 4, 7);    \
        EVENT3(GO_START, 100, 1, (seq)); \
    } while (0)

/* Within one thread's turn nothing else ends it: here only thread 5 has events. */
static void test_trace(void **state)
{
    struct summary_silences found;
    struct summary_long_runs runs;
    int64_t hold;

    (void)state;
    begin_trace(2);
    STOP_AND_START(2 * 30 * MS, 1);
    STOP_AND_START(2 * 60 * MS, 2);
    STOP_AND_START(2 * 39 * MS, 3);
    STOP_AND_START(2 * 400 * MS, 4);
    STOP_AND_START(2 * 30 * MS, 5); /* otherwise the end of the trace would cast a doubt */
    found = sum_up(&hold, &runs);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.kept.count, 1); /* 60 ms are too short */
    assert_in_range(found.total, 459 * MS, 461 * MS);
    assert_in_range(found.kept.longest, 399 * MS, 401 * MS);
    assert_in_range(found.goroutines, 918 * MS, 922 * MS);
    assert_in_range(hold, 98 * MS, 100 * MS); /* goroutine 2 never stops, but for the silences */
    assert_int_equal(runs.count, 0);
}

/* One alone may be in a computation that cannot be interrupted. */
static void test_alone(void **state)
{
    struct summary_silences found;
    struct summary_long_runs runs;
    int64_t hold;

    (void)state;
    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_tables();
    rawtrace_begin_running(20);
    rawtrace_event(GOTRACE_EV_PROCS_CHANGE, 3, U(1), U(1), U(7));
    for (unsigned i = 1; i < 5; i++)
        STOP_AND_START(2 * 200 * MS, i);
    found = sum_up(&hold, &runs);
    assert_int_equal(found.count, 4);
    assert_int_equal(found.kept.count, 0);
    assert_int_equal(runs.count, 4);
    assert_in_range(runs.total, 799 * MS, 801 * MS);
}

/* Who is stopped by another thread's event, and an event that must wait for another thread. */
static void test_between_threads(void **state)
{
    struct summary_silences found;
    struct summary_long_runs runs;
    int64_t hold;

    (void)state;
    begin_trace(2);
    EVENT3(GO_BLOCK, 2 * 170 * MS, 4, 7);
    EVENT3(GO_START, 2 * 69 * MS, 1, 2); /* before it was unblocked: must wait for that */
    rawtrace_end_batch();
    rawtrace_begin_batch(6, 2 * 240 * MS);
    EVENT4(GO_UNBLOCK, 1, 1, 1, 7);
    found = sum_up(&hold, &runs);
    (void)hold;
    assert_int_equal(found.count, 2);
    assert_int_equal(found.kept.count, 1); /* goroutine 2 ran alone the second time */
    assert_in_range(found.total, 238 * MS, 241 * MS);
}

/* An event that waits for others in vain, or is broken, ends no silence, as the trace ends before it. */
static void test_no_event(void **state)
{
    (void)state;
    for (int broken = 0; broken < 3; broken++) {
        struct summary_silences found;
        struct summary_long_runs runs;
        int64_t hold;

        begin_trace(2);
        STOP_AND_START(2 * 200 * MS, 1);
        if (broken == 0) {
            EVENT3(GO_STOP, 2 * 30 * MS, 4, 7);
            EVENT3(GO_START, 2 * 300 * MS, 9, 1);
        } else if (broken == 1) {
            EVENT3(GO_STOP, 2 * 300 * MS, 4, 7);
            rawtrace_event(255, 0);
        } else {
            EVENT3(GO_STOP, 2 * 30 * MS, 4, 99);
        }
        found = sum_up_as(false, &hold, &runs);
        assert_int_equal(found.count, 1);
        assert_in_range(found.total, 199 * MS, 201 * MS);
        assert_in_range(found.kept.total, 199 * MS, 201 * MS);
    }
}

/* It comes later, after what it waited for: one silence, up to that. */
static void test_late_event(void **state)
{
    struct summary_silences found;
    struct summary_long_runs runs;
    int64_t hold;

    (void)state;
    begin_trace(2);
    EVENT3(GO_BLOCK, 2 * 10 * MS, 4, 7);
    EVENT3(GO_START, 2 * 69 * MS, 1, 2); /* before it was unblocked */
    rawtrace_end_batch();
    rawtrace_begin_batch(6, 2 * 140 * MS);
    EVENT4(GO_UNBLOCK, 1, 1, 1, 7);
    found = sum_up(&hold, &runs);
    (void)hold;
    assert_int_equal(found.count, 1);
    assert_in_range(found.total, 129 * MS, 131 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_kept_of_all),
        cmocka_unit_test(test_run_alone),
        cmocka_unit_test(test_in_step),
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_phase),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_between_threads),
        cmocka_unit_test(test_taken_back),
        cmocka_unit_test(test_no_event),
        cmocka_unit_test(test_late_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
