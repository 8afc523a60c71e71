/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/illness.h"
#include "trace/findings/findings.h"

#define STUCK_SHORT 90000000 /* less than counts as stuck, whatever the window */

static void lock_waiters(struct summary *s, double v)
{
    s->classes.sync[STACK_LOCK].total = part(v);
    s->procs.executing = part(0.01);
}

static void lock_older(struct summary *s, double v)
{
    lock_waiters(s, 0);
    s->classes.unknown[STACK_LOCK].total = part(v);
}

static void lock_share(struct summary *s, double v)
{
    s->procs.executing = part(6);
    s->goroutines.runnable = part(10 / v - 16);
}

static void set_gc(struct summary *s)
{
    s->procs.executing = part(1.5);
}

static void gc_worker(struct summary *s, double v)
{
    s->gc.cycles = 2;
    s->gc.worker = part(2 * v);
}

/* A little more than GC_COST_MIN in all. */
static void gc_assist(struct summary *s, double v)
{
    s->procs.executing = part(1.2);
    s->gc.cycles = 3;
    s->gc.assist_executing = part(1.2 * v);
}

/* The longest pause is left out. */
static void gc_pause(struct summary *s, double v)
{
    static struct summary_row rows[] = {
        {.name = "stop-the-world (GC mark termination)"},
        {.name = "stop-the-world (start trace)", .times = {.total = SECOND / 2}},
    };

    rows[0].times.max = part(0.4);
    rows[0].times.total = part(v) + rows[0].times.max;
    rows[0].times.count = 6;
    s->gc.stw.p50 = part(v) / 6 + 1;
    s->gc.cycles = 3;
    s->gc.stw_by_reason.list = rows;
    s->gc.stw_by_reason.n = 2;
}

static void cpu_queued(struct summary *s, double v)
{
    s->procs.queued = part(v);
}

static void cpu_queue(struct summary *s, double v)
{
    s->scheduler.runnable_mean = 2 * v;
}

static void cpu_latency(struct summary *s, double v)
{
    s->scheduler.latency.count = 1000000;
    s->scheduler.latency.p99 = (int64_t)v;
}

static void cpu_user(struct summary *s, double v)
{
    s->procs.executing = part(2 * v);
}

static void set_imbalance(struct summary *s)
{
    s->procs.executing = part(0.1);
    s->scheduler.overdue_with_idle = part(0.95);
    s->scheduler.overdue_idle_lost = part(1.5);
    s->scheduler.overdue_count = 10000;
}

static void imbalance_share(struct summary *s, double v)
{
    s->scheduler.overdue_with_idle = part(v);
}

static void imbalance_lost(struct summary *s, double v)
{
    s->scheduler.overdue_idle_lost = part(0.1 * v);
}

#define LEAKED 2000

/* So many were created by one statement and wait, a quarter of them in each quarter of the window. */
static void leaked(struct summary *s, double n)
{
    s->growth.list[0].created = s->growth.waiting = (uint64_t)n;
    for (size_t i = 0; i < SUMMARY_QUARTERS; i++)
        s->growth.quarters[i] = (uint64_t)(n / SUMMARY_QUARTERS);
}

static void set_leak(struct summary *s)
{
    s->version = 26;
    s->goroutines.at_start = 10 * LEAKED;
    s->goroutines.at_end = 10 * LEAKED;
    s->growth = (struct summary_growth){
        .list[0].at = {"main.leak", "leak.go", 7},
        .n = 1,
        .reason = "chan send",
        .blocked = true,
        .waits_at = {"main.leak.func1", "leak.go", 9},
        .older_waiting = 10 * LEAKED,
    };
    leaked(s, LEAKED);
}

static void leak_growth(struct summary *s, double v)
{
    leaked(s, v);
}

static void leak_select(struct summary *s, double v)
{
    s->growth.reason = "select";
    leaked(s, v);
}

static void leak_left(struct summary *s, double v)
{
    double left = v < 1 ? v * LEAKED : LEAKED;

    leaked(s, left);
    s->growth.list[0].created = LEAKED;
    s->growth.list[0].ended = LEAKED - (uint64_t)left;
    s->growth.waits_over = LEAKED;
}

/* The same, but others find what those that stay wait for, and wait for nothing. */
static void leak_stays(struct summary *s, double v)
{
    s->growth.list[0].created = 10 * LEAKED;
    s->growth.list[0].ended = 9 * LEAKED;
    s->growth.waits_over = v < 1 ? (uint64_t)(LEAKED / v - LEAKED) : 0;
}

static void leak_net(struct summary *s, double v)
{
    s->growth.older_ended = v < 1 ? (uint64_t)((1 - v) * LEAKED) : 0;
}

static void leak_stuck(struct summary *s, double v)
{
    leaked(s, v < 1 ? v * LEAKED : LEAKED);
    s->growth.list[0].created = LEAKED;
}

static void leak_steady(struct summary *s, double v)
{
    s->growth.quarters[2] = (uint64_t)(v * LEAKED / SUMMARY_QUARTERS);
}

static void leak_before(struct summary *s, double v)
{
    s->growth.older_waiting = (uint64_t)(v * LEAKED);
}

/* Before Go 1.23 the trace does not say where. */
static void leak_untold(struct summary *s, double v)
{
    s->version = 22;
    s->growth.older_waiting = 0;
    s->growth.older_untold = (uint64_t)(v * LEAKED);
}

static void set_timers(struct summary *s)
{
    s->procs.executing = part(0.05);
    s->procs.running = part(1.9);
    s->scheduler.by_runtime = s->scheduler.latency.count = 200000;
}

static void timers_rate(struct summary *s, double v)
{
    s->scheduler.by_runtime = s->scheduler.latency.count = (uint64_t)(2 * v);
}

/* Of sleeps alone it is known that they end by a timer. */
static void timers_sleeps(struct summary *s, double v)
{
    static struct summary_wait waits[] = {{.reason = "network"}, {.reason = "sleep"}};

    waits[0].count = s->scheduler.by_runtime;
    waits[1].count = s->scheduler.latency.count = (uint64_t)(2 * v);
    s->goroutines.waits = waits;
    s->goroutines.n_waits = 2;
}

static void timers_share(struct summary *s, double v)
{
    s->scheduler.latency.count = (uint64_t)(200000 / v);
}

static void timers_looking(struct summary *s, double v)
{
    s->procs.running = part(0.05 + 2 * v);
}

static void set_polling(struct summary *s)
{
    s->procs.executing = part(0.05);
    s->procs.running = part(1.9);
    s->scheduler.yields = s->scheduler.latency.count = 200000;
}

static void polling_rate(struct summary *s, double v)
{
    s->scheduler.yields = s->scheduler.latency.count = (uint64_t)(2 * v);
}

static void polling_share(struct summary *s, double v)
{
    s->scheduler.latency.count = (uint64_t)(200000 / v);
}

static void polling_vain(struct summary *s, double v)
{
    s->scheduler.yields = 0;
    s->vain.count = (uint64_t)v;
}

static void polling_asking(struct summary *s, double v)
{
    s->scheduler.yields = 0;
    s->asking.count = 100;
    s->asking.total = part(v);
}

static void polling_time(struct summary *s, double v)
{
    s->procs.running = part(2 * v);
}

/* All of them wait again. */
static void set_herd(struct summary *s)
{
    static struct summary_wait wait = {.reason = "sync.(*Cond).Wait", .count = 1000000};

    s->goroutines.waits = &wait;
    s->goroutines.n_waits = 1;
    s->scheduler.runnable_max = 20;
    s->woken_together.count = s->scheduler.latency.count = 100000;
}

static void herd_rate(struct summary *s, double v)
{
    s->procs.executing = part(0.01);
    s->woken_together.count = s->scheduler.latency.count = (uint64_t)v;
}

static void herd_share(struct summary *s, double v)
{
    s->scheduler.latency.count = (uint64_t)(100000 / v);
}

/* By whatever else than Broadcast. */
static void set_any_herd(struct summary *s)
{
    s->procs.executing = part(0.01);
    s->woken_for_nothing.count = s->scheduler.latency.count = 1000000;
}

static void herd_any_rate(struct summary *s, double v)
{
    s->woken_for_nothing.count = s->scheduler.latency.count = (uint64_t)v;
}

static void herd_any_share(struct summary *s, double v)
{
    s->scheduler.latency.count = (uint64_t)(1000000 / v);
}

/* Each request waits for ten answers and more, one after the other, in a fifth of a second. */
static void set_chain(struct summary *s)
{
    s->classes.sync[STACK_CALL].total = part(32);
    s->classes.sync[STACK_CALL].count = 32000; /* a millisecond each */
    s->inside.requests = 100;
    s->inside.asked.count = 100 * 100;
    s->inside.asked.total = part(100 * 0.2);
}

static void chain_calls(struct summary *s, double v)
{
    s->inside.asked.count = (uint64_t)(100 * v + 0.5);
}

static void chain_time(struct summary *s, double v)
{
    s->inside.asked.total = part(100 * v / 1e9);
}

/* Twenty collections a second and more that the program calls for. */
static void set_wish(struct summary *s)
{
    static struct summary_wait wait = {.reason = "wait until GC ends", .count = 100};

    wait.count = 100;
    wait.total = part(3);
    s->goroutines.waits = &wait;
    s->goroutines.n_waits = 1;
    s->forced.count = 1;
    s->gc.cycles = 100;
    s->gc.mark = part(0.9);
}

static void wish_rate(struct summary *s, double v)
{
    s->gc.cycles = (uint64_t)v;
}

static void wish_mark(struct summary *s, double v)
{
    s->goroutines.waits[0].total = 0;
    s->gc.mark = part(v);
}

static void wish_wait(struct summary *s, double v)
{
    s->goroutines.waits[0].total = part(v);
    s->gc.mark = 0;
}

static void set_retry(struct summary *s)
{
    (void)s;
}

static void retry_rate(struct summary *s, double v)
{
    s->failed_dials.count = (uint64_t)v;
}

static void set_storm(struct summary *s)
{
    s->syscalls.blocked = 4000;
    s->syscalls.count = 9000;
    s->classes.syscall[STACK_OTHER].total = part(60);
}

static void storm_goroutines(struct summary *s, double v)
{
    s->classes.syscall[STACK_OTHER].total = part(2 * v);
    s->classes.syscall[STACK_READ].total = part(2 * v);
}

/* Of sixteen Ps the four that there must be at least say nothing. */
static void storm_many_procs(struct summary *s, double v)
{
    s->procs.mean = 16;
    s->procs.available = 16 * SECOND;
    s->classes.syscall[STACK_OTHER].total = part(16 * v);
}

static void storm_blocked(struct summary *s, double v)
{
    s->syscalls.blocked = (uint64_t)v;
}

static void set_files(struct summary *s)
{
    s->syscalls.files = 2000000;
    s->syscalls.files_total = part(1.4);
}

static void files_share(struct summary *s, double v)
{
    s->syscalls.files_total = part(2 * v);
}

static void files_rate(struct summary *s, double v)
{
    s->syscalls.files = (uint64_t)(2 * v);
}

static void set_stuck(struct summary *s)
{
    s->syscalls.longest_active = (struct summary_longest){.g = 7};
}

static void stuck_syscall(struct summary *s, double v)
{
    s->syscalls.longest_active.duration = part(v);
}

static void stuck_run(struct summary *s, double v)
{
    s->longest_hold.duration = part(v);
}

static void set_network(struct summary *s)
{
    s->classes.network[STACK_OTHER] = (struct summary_class){
        .count = 640, .total = part(40), .whole = 600, .whole_total = part(36)};
}

static void net_waiters(struct summary *s, double v)
{
    s->procs.executing = part(0.01);
    s->classes.network[STACK_OTHER].whole_total = part(v);
    s->classes.network[STACK_OTHER].whole = 50;
}

static void net_answers(struct summary *s, double v)
{
    net_waiters(s, 0);
    s->classes.network[STACK_OTHER].whole = 0;
    s->classes.sync[STACK_CALL] = (struct summary_class){.count = 50, .total = part(v)};
}

static void net_duration(struct summary *s, double v)
{
    s->classes.network[STACK_OTHER].whole = (uint64_t)(36.0 * SECOND / v);
}

static void net_share(struct summary *s, double v)
{
    s->goroutines.runnable = part(36 / v - 36.4);
}

struct trial {
    const char *code;
    void (*set)(struct summary *);
    void (*vary)(struct summary *, double);
    double there;
    double severe;
};

static const struct trial trials[] = {
    {"lock-contention", set_lock, lock_waiters, 1, 4},
    {"lock-contention", set_lock, lock_older, 1, 4},
    {"lock-contention", set_lock, lock_share, 0.3, 0.6},
    {"gc-pressure", set_gc, gc_worker, 0.2, 0.4},
    {"gc-pressure", set_gc, gc_assist, 0.1, 0.3},
    {"gc-pressure", set_gc, gc_pause, 0.05, 0.15},
    {"gc-pressure", set_wish, wish_rate, 5, 20},
    {"gc-pressure", set_wish, wish_mark, 0.3, 0.6},
    {"gc-pressure", set_wish, wish_wait, 0.5, 2},
    {"cpu-saturated", set_cpu, cpu_queued, 0.5, 0.9},
    {"cpu-saturated", set_cpu, cpu_queue, 1, 4},
    {"cpu-saturated", set_cpu, cpu_latency, 1e6, 1e7},
    {"cpu-saturated", set_cpu, cpu_user, 0.6, 0.8},
    {"scheduler-imbalance", set_imbalance, imbalance_share, 0.4, 0.7},
    {"scheduler-imbalance", set_imbalance, imbalance_lost, 1, 3},
    {"goroutine-leak", set_leak, leak_growth, 100, 1000},
    {"goroutine-leak", set_leak, leak_select, 500, 5000},
    {"goroutine-leak", set_leak, leak_left, 0.95, 0.99},
    {"goroutine-leak", set_leak, leak_stays, 0.95, 0.99},
    {"goroutine-leak", set_leak, leak_net, 0.8, 0.95},
    {"goroutine-leak", set_leak, leak_stuck, 0.8, 0.95},
    {"goroutine-leak", set_leak, leak_steady, 0.25, 0.5},
    {"goroutine-leak", set_leak, leak_before, 0.4, 0.8},
    {"goroutine-leak", set_leak, leak_untold, 0.4, 0.8},
    {"timer-load", set_timers, timers_rate, 1e4, 5e4},
    {"timer-load", set_timers, timers_sleeps, 1e4, 5e4},
    {"timer-load", set_timers, timers_share, 0.5, 0.8},
    {"timer-load", set_timers, timers_looking, 0.08, 0.2},
    {"busy-polling", set_polling, polling_rate, 1e4, 5e4},
    {"busy-polling", set_polling, polling_share, 0.5, 0.8},
    {"busy-polling", set_polling, polling_time, 0.2, 0.4},
    {"busy-polling", set_polling, polling_vain, 4000, 20000},
    {"busy-polling", set_polling, polling_asking, 0.4, 0.9},
    {"retry-storm", set_retry, retry_rate, 100, 1000},
    {"thundering-herd", set_herd, herd_rate, 2000, 10000},
    {"thundering-herd", set_herd, herd_share, 0.3, 0.6},
    {"thundering-herd", set_any_herd, herd_any_rate, 20000, 100000},
    {"thundering-herd", set_any_herd, herd_any_share, 0.5, 0.8},
    {"syscall-storm", set_storm, storm_goroutines, 1, 3},
    {"syscall-storm", set_storm, storm_many_procs, 1, 3},
    {"syscall-storm", set_storm, storm_blocked, 50, 300},
    {"syscall-storm", set_files, files_share, 0.2, 0.5},
    {"syscall-storm", set_files, files_rate, 1e5, 3e5},
    {"stuck-proc", set_stuck, stuck_syscall, 0.5, 0.9},
    {"stuck-proc", set_stuck, stuck_run, 0.3, 0.9},
    {"network-bound", set_network, net_waiters, 4, 16},
    {"network-bound", set_network, net_answers, 4, 16},
    {"network-bound", set_network, net_duration, 5e6, 2e7},
    {"network-bound", set_network, net_share, 0.8, 0.95},
    {"network-bound", set_chain, chain_calls, 10, 30},
    {"network-bound", set_chain, chain_time, 2e7, 1e8},
};

#define N_TRIALS (sizeof(trials) / sizeof(trials[0]))

static struct findings findings; /* of the last judge() */

static double score_of(const char *code)
{
    for (size_t i = 0; i < findings.n; i++) {
        if (strcmp(findings.list[i].code, code) == 0)
            return findings.list[i].score;
    }
    return 0;
}

static double judge(const struct trial *t, double value)
{
    struct summary s = sound();

    t->set(&s);
    t->vary(&s, value);
    findings_find(&s, NULL, &findings);
    return score_of(t->code);
}

static void test_thresholds(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TRIALS; i++) {
        const struct trial *t = &trials[i];
        double middle = (t->there + t->severe) / 2;

        print_message("%zu %s\n", i, t->code);
        assert_float_equal(judge(t, t->there * 0.97), 0, 1e-9);
        assert_int_equal(findings.n, 0);
        assert_float_equal(judge(t, t->there + (t->severe - t->there) / 40), 0.5, 0.03);
        assert_string_equal(findings.label, t->code);
        if (t->vary == lock_share)
            continue;
        assert_in_range((uintmax_t)(judge(t, middle) * 1000), 700, 800);
        assert_float_equal(judge(t, t->severe * 1.01), 1, 1e-6);
        assert_float_equal(judge(t, t->severe * 1.5), 1, 1e-6);
    }
}

static void test_sound(void **state)
{
    struct summary s = sound();

    (void)state;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    assert_string_equal(findings.label, "healthy");
}

/* Idle is what uses little of its Ps, and little of anything. */
static void test_idle(void **state)
{
    struct summary s = sound();

    (void)state;
    s.procs.executing = part(0.09);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "idle");
    s.procs.executing = part(0.11);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");

    s.procs.mean = 64;
    s.procs.available = 64 * SECOND;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "idle");
    s.procs.executing = part(0.3);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
}

/* The collector's workers are no use of the Ps by the program. */
static void test_workers(void **state)
{
    struct summary s = sound();

    (void)state;
    s.procs.executing = part(1.9);
    s.gc.idle_worker = part(1.85);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "idle");

    set_cpu(&s);
    s.gc.idle_worker = part(0.9);
    findings_find(&s, NULL, &findings);
    assert_true(score_of("cpu-saturated") == 0);
}

/* Two had their turn at once; the others waited from the beginning to the end. */
static void test_turn_never_came(void **state)
{
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    s.scheduler.latency.count = 2;
    s.scheduler.latency.p99 = 3900;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "cpu-saturated");

    s.scheduler.latency.count = 1000000;
    findings_find(&s, NULL, &findings);
    assert_true(score_of("cpu-saturated") == 0);
}

/* Waits that are nobody's delay, however many there are. */
static void test_standing_waits(void **state)
{
    struct summary s = sound();
    struct summary_class many = {.count = 10000, .total = part(9000), .max = SECOND};
    struct summary_class whole = many;

    (void)state;
    whole.whole = 9000;
    whole.whole_total = part(8000);
    s.classes.sync[STACK_JOIN] = many;
    s.classes.sync[STACK_OTHER] = many;
    s.classes.sync[STACK_RUNTIME] = many;
    s.classes.network[STACK_LISTENER] = whole;
    s.classes.network[STACK_TRACER] = whole;
    s.classes.network[STACK_OTHER] = many; /* connections that nobody uses */
    s.classes.sync[STACK_HANDLER] = whole; /* long polls */
    s.classes.unknown[STACK_OTHER] = many;
    s.classes.syscall[STACK_PARKED] = many;
    s.classes.syscall[STACK_LISTENER] = many;
    s.classes.syscall[STACK_TRACER] = many;
    s.syscalls.blocked = 100000;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    assert_string_equal(findings.label, "healthy");
}

static void assert_no_label(const char *not_inspected, const char *why)
{
    assert_string_equal(findings.label, "not-inspected");
    assert_int_equal(findings.n_near, 0); /* "no rule matched" would not be true */
    assert_string_equal(findings.not_inspected, not_inspected);
    assert_string_equal(findings.why, why);
    assert_int_equal(findings.n, 0);
}

/* Numbers of a part of the trace say nothing of the whole, however clear they are. */
static void test_partial(void **state)
{
    struct summary s = sound();

    (void)state;
    set_lock(&s);
    s.complete = false;
    s.window = SECOND * 89 / 100;
    s.covered = 0.89;
    findings_find(&s, NULL, &findings);
    assert_no_label("partial", "the numbers rest on 890.0 ms of 1000.0 ms, 89.0%");
    s.covered = 0.9;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "lock-contention");
    assert_null(findings.not_inspected);
}

static void test_too_short(void **state)
{
    struct summary s = sound();

    (void)state;
    set_lock(&s);
    s.window = s.spans = FINDINGS_WINDOW - 1000000;
    findings_find(&s, NULL, &findings);
    assert_no_label("too-short", "49.0 ms are too short to tell anything");
    s.window = s.spans = FINDINGS_WINDOW;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "lock-contention");
}

/* What a rule finds in a handful of events may be chance. */
static void test_few_events(void **state)
{
    struct summary s = sound();

    (void)state;
    set_lock(&s);
    s.classes.sync[STACK_LOCK].count = 4;
    findings_find(&s, NULL, &findings);
    assert_no_label("too-short", "too few events to tell lock-contention from chance: 4");
    s.classes.unknown[STACK_LOCK].count = 1; /* that waited before the trace began */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "lock-contention");

    s = sound(); /* a cycle takes a quarter of the Ps by design */
    s.window = s.spans = SECOND / 10;
    s.procs.available = SECOND / 5;
    s.procs.executing = SECOND / 10;
    s.gc.worker = SECOND / 20;
    s.gc.cycles = 1;
    findings_find(&s, NULL, &findings);
    assert_no_label("too-short", "too few events to tell gc-pressure from chance: 1");
    s.gc.cycles = 2;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "gc-pressure");

    s = sound(); /* another finding needs no help */
    set_lock(&s);
    s.classes.sync[STACK_LOCK].count = 4;
    s.longest_hold.duration = SECOND;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "stuck-proc");
    assert_int_equal(findings.n, 1);
}

/* A program's mistake is told behind the findings, and is no label. */
static void test_misnested(void **state)
{
    struct summary_row rows[] = {{.name = "log", .misnested = 3}, {.name = "send", .misnested = 7}};
    struct summary_site site = {.at = {"main.dispatch", "main.go", 40}, .count = 10};
    struct summary s = sound();

    (void)state;
    s.regions = (struct summary_rows){.list = rows, .n = 2};
    s.misnested = (struct summary_sites){.list = &site, .n = 1, .count = 10};
    s.events.by_kind[GOTRACE_REGION_END] = 100;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
    assert_int_equal(findings.n, 1);
    assert_string_equal(findings.list[0].code, "misnested-regions");
    assert_string_equal(findings.list[0].subject, "send");
    assert_string_equal(findings.list[0].sites[0].at.func, "main.dispatch");
    assert_true(findings.list[0].score == 0);
    set_lock(&s);
    s.complete = false;
    s.covered = 0.1;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.not_inspected, "partial");
    assert_int_equal(findings.n, 1);
}

/* One cycle in a service that does nothing else: nearly all that goroutines do is to assist. */
static void test_lonely_cycle(void **state)
{
    struct summary s = sound();

    (void)state;
    s.procs.executing = part(0.07);
    s.gc.assist_executing = part(0.018);
    s.gc.worker = part(0.05);
    s.gc.cycles = 1;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "idle");
}

/* The host keeps a cycle's workers waiting for seconds; one cycle after the other is another thing. */
static void test_slow_cycle(void **state)
{
    struct summary s = sound();

    (void)state;
    s.gc.worker = part(0.6);
    s.gc.cycles = 1;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    s.gc.cycles = 2;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "gc-pressure");
}

/* Few collections that cost much are told by who called for them, too, if most are the program's. */
static void test_called_for(void **state)
{
    struct summary s = sound();

    (void)state;
    set_wish(&s);
    s.gc.cycles = 4;
    s.gc.worker = part(0.6);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "gc-pressure");
    assert_string_equal(findings.list[0].remark, "the program calls for the collections");
    assert_non_null(strstr(findings.list[0].next, "runtime.GC"));
    s.goroutines.waits[0].count = 1;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.list[0].remark, "");
    assert_null(strstr(findings.list[0].next, "runtime.GC"));
}

/* A busy P that is often handed over; threads wake and look for work: no imbalance. */
static void test_timers(void **state)
{
    struct summary s = sound();

    (void)state;
    s.procs.executing = part(0.002);
    s.scheduler.overdue_with_idle = part(0.05);
    s.scheduler.overdue_idle_lost = part(0.05);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "idle");
}

/* What takes the Ps is the collector, so that there is no lack of Ps. */
/* A call on a socket uses a CPU, though no goroutine runs meanwhile; another call may wait. */
static void test_calls_on_sockets(void **state)
{
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    s.procs.executing = part(1.0);
    s.procs.in_syscall = part(0.4);
    findings_find(&s, NULL, &findings);
    assert_true(score_of("cpu-saturated") < 0.5);
    s.syscalls.sockets_total = part(0.6);
    findings_find(&s, NULL, &findings);
    assert_true(score_of("cpu-saturated") >= 0.5);
}

/* Where many wait for mutexes, a loop around one is contention, and no polling. */
static void test_loop_around_a_lock(void **state)
{
    struct summary s = sound();

    (void)state;
    s.asking.count = 100;
    s.asking.total = SECOND;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "busy-polling");
    s.classes.sync[STACK_LOCK].total = SECOND / 2;
    findings_find(&s, NULL, &findings);
    assert_true(score_of("busy-polling") < 0.5);
}

static void test_cause_first(void **state)
{
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    s.gc.cycles = 3;
    s.gc.worker = part(0.5);
    s.gc.assist_executing = part(0.4);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "gc-pressure");
    assert_true(score_of("cpu-saturated") == 0);
}

/* A long call is only stuck where it is alone, and if it is long at all. */
static void test_stuck(void **state)
{
    struct summary s = sound();

    (void)state;
    s.syscalls.longest_active.duration = SECOND;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "stuck-proc");
    set_storm(&s);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "syscall-storm");
    assert_int_equal(findings.n, 1);

    s = sound();
    s.window = STUCK_SHORT;
    s.procs.available = 2 * STUCK_SHORT;
    s.procs.executing = STUCK_SHORT / 4;
    s.syscalls.longest_active.duration = STUCK_SHORT;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* A run without a pause is long for its window. Many such at once are threads without a CPU. */
static void test_stuck_run(void **state)
{
    struct summary s = sound();

    (void)state;
    s.longest_hold.duration = SECOND * 4 / 10;
    s.window = s.spans = 2 * SECOND;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "stuck-proc");
    s.window = s.spans = 4 * SECOND;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    s.longest_hold.duration = SECOND;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "stuck-proc");
    s.long_runs.total = 4 * 3 * SECOND;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* The collector waits for one run to stop, for which another one waits. */
static void test_stuck_pause(void **state)
{
    struct summary_row row = {.name = "GC sweep termination", .times.max = 2 * SECOND};
    struct summary s = sound();

    (void)state;
    s.window = s.spans = 3 * SECOND;
    s.gc.stw_by_reason = (struct summary_rows){.list = &row, .n = 1};
    s.longest_run = (struct summary_longest){.duration = 2 * SECOND, .at.func = "main.loop"};
    s.long_runs.total = 4 * SECOND;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "stuck-proc");
    assert_string_equal(findings.list[0].sites[0].at.func, "main.loop");
    s.long_runs.total--; /* only who stops the world ran all that time */
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    s.long_runs.total++;
    row.times.max--;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    row.times.max++;
    s.long_runs.total = 3 * 3 * SECOND; /* as many more do: these are threads without a CPU */
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* With more Ps than CPUs a P is free as its thread waits for a CPU: no fault of Go's scheduler. */
static void test_wait_for_cpu(void **state)
{
    struct summary s = sound();

    (void)state;
    set_imbalance(&s);
    s.goroutines.runnable = part(1.9); /* 1000 waits */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "scheduler-imbalance");
    s.goroutines.runnable = part(2.1);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);

    s = sound();
    set_cpu(&s);
    s.procs.executing = part(1);
    s.procs.queued = part(0.3);
    s.scheduler.overdue_with_free = part(0.6);
    s.scheduler.overdue_lost = part(0.7);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "cpu-saturated");
    s.goroutines.runnable = part(1);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* With many more Ps than CPUs, most of those that run for long wait for a CPU. */
static void test_without_cpu(void **state)
{
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    cpu_queue(&s, 0.7);
    s.long_runs.total = part(2.9);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    s.long_runs.total = part(3);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "cpu-saturated");
    s.goroutines.runnable = 0; /* nobody waits for long */
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* One long pause is no pressure: the host may have made it. */
static void test_pauses(void **state)
{
    struct summary s = sound();

    (void)state;
    set_gc(&s);
    gc_pause(&s, 0.2);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "gc-pressure");
    s.gc.cycles = 2;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    s.gc.cycles = 3;
    gc_pause(&s, 0.01);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* Nor are several that are far longer than most: the host lets threads wait. So it is with assists. */
static void test_stretched(void **state)
{
    struct summary s = sound();

    (void)state;
    set_gc(&s);
    gc_pause(&s, 0.2);
    s.gc.stw.p50 = part(0.002);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);

    s = sound();
    gc_assist(&s, 0.3);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "gc-pressure");
    s.gc.assist_max = part(0.3);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    s.gc.assist_max = 0;
    s.gc.cycles = 2;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* That the collector waits for one that does not stop is no cost of the collector's. */
static void test_pauses_of_one_that_does_not_stop(void **state)
{
    struct summary s = sound();

    (void)state;
    set_gc(&s);
    gc_pause(&s, 0.2);
    set_stuck(&s);
    stuck_run(&s, 0.5);
    s.long_runs.total = part(0.7);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "stuck-proc");
    assert_int_equal(findings.n, 1);
    s.long_runs.total = part(0.02); /* it explains a small part */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "gc-pressure");
    assert_int_equal(findings.n, 2);
}

/* Many calls on files are no reason to believe a storm of a few that lost their Ps. */
static void test_events_of_a_storm(void **state)
{
    struct summary s = sound();

    (void)state;
    set_storm(&s);
    s.window = s.spans = SECOND / 10;
    storm_blocked(&s, 9);
    s.syscalls.files = 50;
    findings_find(&s, NULL, &findings);
    assert_no_label("too-short", "too few events to tell syscall-storm from chance: 9");
}

/* Calls that take long have work to do, however many they are. */
static void test_longer_calls_on_files(void **state)
{
    struct summary s = sound();

    (void)state;
    set_files(&s);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "syscall-storm");
    s.syscalls.files_total = (int64_t)s.syscalls.files * 20001;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* Waits for the network mean nothing while there is plenty to do. */
static void test_network_busy(void **state)
{
    struct summary s = sound();

    (void)state;
    set_network(&s);
    s.procs.executing = part(0.99);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "network-bound");
    s.procs.executing = part(1.01);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
}

/* What grows like a leak and is none. */
static void test_no_leak(void **state)
{
    struct summary s = sound();

    (void)state;
    set_leak(&s);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "goroutine-leak");
    assert_string_equal(findings.list[0].remark,
                        "from 20,000 to 20,000 goroutines; the new ones wait for: chan send");
    assert_string_equal(findings.list[0].sites[0].at.func, "main.leak");
    assert_string_equal(findings.list[0].sites[1].at.func, "main.leak.func1");
    s.growth.in_network = LEAKED / 2; /* they come with connections */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
    s.growth.in_network = 0;
    s.growth.class = STACK_HANDLER; /* they serve somebody */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
    s.growth.class = STACK_OTHER;
    s.growth.blocked = false; /* they sleep */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
}

/* Whoever does something when it is woken, or whom few wake with, is in no herd. */
static void test_no_herd(void **state)
{
    struct summary s = sound();

    (void)state;
    set_herd(&s);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "thundering-herd");
    s.scheduler.runnable_max = 19;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
    set_herd(&s);
    s.woken_together.count = s.scheduler.latency.count = 19000; /* turns of 21 us */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
    set_herd(&s);
    s.goroutines.n_waits = 0;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
}

/* One of two families of an address may refuse; who yields after each 11 us of work computes. */
static void test_no_storm(void **state)
{
    struct summary s = sound();

    (void)state;
    s.failed_dials.count = 2000;
    s.dials.count = 1000;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
    s.dials.count = 800;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "retry-storm");

    s = sound();
    set_polling(&s);
    s.procs.executing = 199999 * INT64_C(10000);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "busy-polling");
    s.procs.executing = 200001 * INT64_C(10000);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
}

static const struct finding *note(const char *code)
{
    for (size_t i = 0; i < findings.n; i++) {
        if (strcmp(findings.list[i].code, code) == 0)
            return &findings.list[i];
    }
    return NULL;
}

/* Notes tell, and leave the label as it is. */
static void test_notes(void **state)
{
    struct summary_site site = {.at = {"main.poll", "poll.go", 3}, .count = 500};
    struct summary_sites one = {.list = &site, .n = 1, .count = 1000};
    struct summary s = sound();

    (void)state;
    set_leak(&s);
    s.growth.older_waiting = 0;
    s.goroutines.at_start = 1000;
    s.goroutines.at_end = 1999;
    findings_find(&s, NULL, &findings);
    assert_null(note("goroutine-growth"));
    s.goroutines.at_end = 2000;
    s.dials = one;
    site.total = SECOND;
    s.sleeps = one;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy");
    assert_int_equal(findings.n, 3);
    s.growth.quarters[1] = 0; /* a burst */
    findings_find(&s, NULL, &findings);
    assert_null(note("goroutine-growth"));
    s.growth.quarters[1] = s.growth.quarters[0];
    findings_find(&s, NULL, &findings);
    assert_string_equal(note("goroutine-growth")->sites[1].at.func, "main.leak.func1");
    assert_non_null(note("new-connections"));
    assert_string_equal(note("short-sleeps")->sites[0].at.func, "main.poll");
    site.class = STACK_CLIENT;
    s.delays[SUMMARY_NET] = one;
    s.classes.network[STACK_CLIENT].total = 10 * SECOND;
    s.classes.network[STACK_CLIENT].count = 100;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "healthy"); /* nobody waits for an answer */
    assert_string_equal(note("slow-clients")->sites[0].at.func, "main.poll");
    assert_true(note("slow-clients")->evidence[0].value == 10);
    s.classes.network[STACK_CLIENT].total--;
    site.class = STACK_OTHER;
    site.total++; /* a nanosecond longer than short */
    s.dials.count = 49;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 1);
    s.window = FINDINGS_WINDOW - 1;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
}

/* The highest score first, and of equal ones the cause; never more than FINDINGS_MAX. */
static void test_order(void **state)
{
    static const char *const expected[] = {"lock-contention", "syscall-storm",
                                           "scheduler-imbalance"};
    struct summary s = sound();
    double shares = 0;

    (void)state;
    set_storm(&s);
    set_network(&s);
    s.procs.executing = part(0.3);
    set_imbalance(&s);
    s.classes.sync[STACK_LOCK] = (struct summary_class){.count = 100, .total = part(200)};
    gc_worker(&s, 0.21);
    s.procs.executing = part(0.2 + 0.42);
    s.scheduler.overdue_idle_lost = part(5);
    s.classes.network[STACK_OTHER].whole_total = part(100);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, FINDINGS_MAX);
    for (size_t i = 0; i < FINDINGS_MAX; i++) {
        assert_string_equal(findings.list[i].code, expected[i]);
        assert_true(i == 0 || findings.list[i].score <= findings.list[i - 1].score);
        assert_true(findings.list[i].lost_share > 0);
        shares += findings.list[i].lost_share;
    }
    assert_float_equal(shares, 1, 1e-9);
    assert_string_equal(findings.label, expected[0]);
    assert_int_equal(findings.n_near, 0);

    s.classes.sync[STACK_LOCK].total = part(1.1);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "syscall-storm");
}

/* A full queue for the Ps is told with the collector, if that takes them. */
static void test_because(void **state)
{
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    gc_worker(&s, 0.5);
    s.procs.executing = 2 * SECOND;
    s.procs.available = 2 * SECOND;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 1); /* the program itself would not fill the Ps */

    gc_worker(&s, 0.3);
    s.gc.assist_executing = 0;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 2);
    assert_string_equal(findings.list[0].code, "gc-pressure");
    assert_null(findings.list[0].because);
    assert_string_equal(findings.list[1].code, "cpu-saturated");
    assert_string_equal(findings.list[1].because, "gc-pressure");
}

/* Without a finding, the two rules that came nearest are told. */
static void test_near(void **state)
{
    struct summary s = sound();

    (void)state;
    set_lock(&s);
    s.classes.sync[STACK_LOCK].total = part(0.9);
    gc_worker(&s, 0.1);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    assert_int_equal(findings.n_near, 2);
    assert_string_equal(findings.near[0].code, "lock-contention");
    assert_true(findings.near[0].score < 0.5);
    assert_string_equal(findings.near[1].code, "gc-pressure");
    assert_float_equal(findings.near[1].score, 0.25, 1e-9);
}

/* Each finding points at sites of its own kind, says what to do, and has numbers. */
static void test_evidence(void **state)
{
    struct summary_site sync[] = {
        {.at = {.func = "app.fanOut"}, .class = STACK_JOIN, .count = 9, .total = 9},
        {.at = {.func = "app.post"}, .class = STACK_LOCK, .count = 5, .total = 5},
        {.at = {.func = "app.read"}, .class = STACK_OTHER, .count = 4, .total = 4},
        {.at = {.func = "app.balance"},
         .own = {{.func = "main.settle"}, "app.balance"},
         .class = STACK_LOCK,
         .count = 1,
         .total = 1,
         .open = {2, 3, 3},
         .older = {1, 9, 9}},
    };
    struct summary s = sound();
    const struct finding *f = &findings.list[0];

    (void)state;
    set_lock(&s);
    s.delays[SUMMARY_SYNC].list = sync;
    s.delays[SUMMARY_SYNC].n = 4;
    findings_find(&s, NULL, &findings);
    assert_string_equal(f->code, "lock-contention");
    assert_int_equal(f->n_sites, 2);
    assert_string_equal(f->sites[0].at.func, "app.balance"); /* with what did not end */
    assert_int_equal(f->sites[0].count, 4);
    assert_int_equal(f->sites[0].total, 13);
    assert_int_equal(f->sites[0].open, 2);
    assert_string_equal(f->sites[0].own.at.func, "main.settle");
    assert_string_equal(f->sites[1].at.func, "app.post");
    assert_true(strlen(f->next) > 20);
    assert_string_equal(f->evidence[0].name, "waiting_mean");
    assert_float_equal(f->evidence[0].value, 10, 1e-9);
    assert_string_equal(f->evidence[3].name, "wait_mean_ns");
    assert_float_equal(f->evidence[3].value, SECOND / 10, 1);
}

/* Nothing at all, as of a trace without an event. */
static void test_empty(void **state)
{
    struct summary s = {.window = 0};

    (void)state;
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 0);
    assert_string_equal(findings.label, "not-inspected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_turn_never_came),
        cmocka_unit_test(test_standing_waits),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_few_events),
        cmocka_unit_test(test_misnested),
        cmocka_unit_test(test_lonely_cycle),
        cmocka_unit_test(test_slow_cycle),
        cmocka_unit_test(test_called_for),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_calls_on_sockets),
        cmocka_unit_test(test_loop_around_a_lock),
        cmocka_unit_test(test_cause_first),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_stuck_run),
        cmocka_unit_test(test_stuck_pause),
        cmocka_unit_test(test_wait_for_cpu),
        cmocka_unit_test(test_without_cpu),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_stretched),
        cmocka_unit_test(test_pauses_of_one_that_does_not_stop),
        cmocka_unit_test(test_events_of_a_storm),
        cmocka_unit_test(test_longer_calls_on_files),
        cmocka_unit_test(test_network_busy),
        cmocka_unit_test(test_no_leak),
        cmocka_unit_test(test_no_herd),
        cmocka_unit_test(test_no_storm),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_because),
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
