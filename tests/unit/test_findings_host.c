/* SPDX-License-Identifier: Apache-2.0 */

/* What the host does to a program: by silences of the trace, and by what the kernel counted. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/illness.h"
#include "trace/findings/findings.h"

static struct findings findings; /* of the last findings_find() */

static void set_throttled(struct summary *s)
{
    s->silences.count = 9;
    s->silences.in_step = 6;
}

static void throttled_silence(struct summary *s, double v)
{
    s->silences.in_step_total = part(v);
    s->silences.kept.total = part(v);
}

static void set_stalled(struct summary *s)
{
    s->silences.count = s->silences.kept.count = 9;
    s->silences.in_step = 5;
    s->silences.in_step_total = part(0.9);
}

static void stalled_share(struct summary *s, double v)
{
    s->silences.kept.total = part(v);
}

static double score_with(void (*vary)(struct summary *, double), double v, const char *code)
{
    struct summary s = sound();

    if (vary == throttled_silence)
        set_throttled(&s);
    else
        set_stalled(&s);
    vary(&s, v);
    findings_find(&s, NULL, &findings);
    return findings.n > 0 && strcmp(findings.label, code) == 0 ? findings.list[0].score : 0;
}

static void test_marks(void **state)
{
    static const struct {
        const char *code;
        void (*vary)(struct summary *, double);
        double there, severe;
    } trials[] = {
        {"cpu-throttled", throttled_silence, 0.1, 0.4},
        {"host-stalled", stalled_share, 0.25, 0.6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
        double there = trials[i].there, severe = trials[i].severe;

        assert_float_equal(score_with(trials[i].vary, there * 0.97, trials[i].code), 0, 1e-9);
        assert_int_equal(findings.n, 0);
        assert_float_equal(score_with(trials[i].vary, there * 1.001, trials[i].code), 0.5, 0.01);
        assert_float_equal(score_with(trials[i].vary, (there + severe) / 2, trials[i].code), 0.75,
                           0.01);
        assert_float_equal(score_with(trials[i].vary, severe, trials[i].code), 1, 1e-6);
        assert_float_equal(score_with(trials[i].vary, severe * 1.5, trials[i].code), 1, 1e-6);
    }
}

/* What came regularly did not come while nobody had anything to run; that clients catch up is a sign
 * only beside that, or beside a silence that is surely the host's. */
static void test_holes(void **state)
{
    struct summary s = sound();
    struct findings f;

    (void)state;
    s.silences.caught_up =
        (struct summary_holes){.count = 2, .total = part(0.5), .longest = part(0.3)};
    findings_find(&s, NULL, &f);
    assert_string_equal(f.label, "healthy");
    s.silences.missed =
        (struct summary_holes){.count = 1, .total = part(0.2), .longest = part(0.2)};
    findings_find(&s, NULL, &f);
    assert_string_equal(f.label, "host-stalled");
    s.silences.caught_up = (struct summary_holes){.count = 0};
    findings_find(&s, NULL, &f);
    assert_string_equal(f.label, "healthy");
    s.silences.missed.total = part(0.6);
    findings_find(&s, NULL, &f);
    assert_string_equal(f.label, "host-stalled");
    assert_true(f.list[0].score > 0.95);
}

/* More Ps than CPUs are told where the CPUs are known. */
static void test_more_procs_than_cpus(void **state)
{
    struct context c = {.throttled_periods = CONTEXT_ABSENT, .cpus = 2};
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.list[0].remark, "");
    c.cpus_allowed = 1;
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-saturated");
    assert_string_equal(findings.list[0].remark, "GOMAXPROCS is 2, the process has 1 CPU");
    c.cpus_allowed = CONTEXT_ABSENT;
    c.cpus = CONTEXT_ABSENT;
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.list[0].remark, "");
}

/* A queue for the Ps that lasts as long as the host lets nobody run is the host's. */
static void test_stalled_queue(void **state)
{
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    set_stalled(&s);
    stalled_share(&s, 0.5);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "cpu-saturated");
    s.silences.kept.queued = part(0.5);
    s.procs.queued = part(0.7); /* 40 % of the rest */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "host-stalled");
    assert_int_equal(findings.n, 1);
    s.procs.queued = SECOND;
    s.silences.kept.runnable = part(39.5); /* one, of two Ps, in the rest */
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "host-stalled");
    assert_int_equal(findings.n, 1);
}

/* Threads that wait for a CPU, so many at any time, while the process uses so many CPUs of two. */
static struct context waiting(double threads, double used)
{
    struct context c;

    context_init(&c);
    c.window = SECOND;
    c.threads = 8;
    c.cpus = 2;
    c.run_wait = part(threads);
    c.cpu = part(used);
    return c;
}

static double waiting_score(double threads, double used, const char *code)
{
    struct summary s = sound();
    struct context c = waiting(threads, used);

    findings_find(&s, &c, &findings);
    if (findings.n > 0)
        assert_string_equal(findings.label, code);
    return findings.n > 0 ? findings.list[0].score : 0;
}

/* Others have the CPUs, or the process itself has more threads to run than CPUs. */
static void test_threads_that_wait(void **state)
{
    struct summary s = sound();
    struct context c;

    (void)state;
    assert_float_equal(waiting_score(0.97, 0.1, "host-stalled"), 0, 1e-9);
    assert_float_equal(waiting_score(1.001, 0.1, "host-stalled"), 0.5, 0.01);
    assert_float_equal(waiting_score(4, 0.1, "host-stalled"), 1, 1e-6);
    assert_float_equal(waiting_score(2, 0.87, "host-stalled"), 0, 1e-9); /* 70 % of what it wants */
    assert_float_equal(waiting_score(2.4, 1, "host-stalled"), 0.5, 0.02);
    assert_float_equal(waiting_score(7, 1.55, "cpu-saturated"), 0.8, 0.05);
    assert_string_equal(findings.list[0].evidence[8].name, "threads_waiting_mean");

    c = waiting(9, 0.1); /* more than there are */
    findings_find(&s, &c, &findings);
    assert_int_equal(findings.n, 0);
    c = waiting(4, 0.1);
    c.run_wait = CONTEXT_ABSENT;
    findings_find(&s, &c, &findings);
    assert_int_equal(findings.n, 0);
    c = waiting(4, 1);
    c.cpus_allowed = 1;
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-saturated");
    c = waiting(4, 0.1);
    c.quota = SECOND / 20;
    c.period = SECOND / 10;
    c.periods = c.throttled_periods = 9;
    c.throttled = part(0.9);
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-throttled");
    assert_int_equal(findings.n, 1);
}

/* Ten periods of which so many were throttled, for so long in all. */
static struct context quota(int64_t periods, int64_t ns)
{
    return (struct context){
        .window = SECOND,
        .quota = SECOND / 20,
        .period = SECOND / 10,
        .periods = 10,
        .throttled_periods = periods,
        .throttled = ns,
        .usage = SECOND / 2,
    };
}

/* What the kernel counted is more than what the trace lets guess. */
static void test_throttled_counted(void **state)
{
    struct summary s = sound();
    struct context c = quota(6, part(0.3));

    (void)state;
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-throttled");
    assert_float_equal(findings.list[0].score, 1, 1e-9);
    assert_string_equal(findings.list[0].remark, "GOMAXPROCS is 2, the quota 0.5 CPUs");
    c = quota(1, part(0.3)); /* one period in ten */
    findings_find(&s, &c, &findings);
    assert_int_equal(findings.n, 0);
    c = quota(9, part(0.04)); /* hardly any time */
    findings_find(&s, &c, &findings);
    assert_int_equal(findings.n, 0);
    c = quota(2, part(0.3)); /* few periods passed, but most of the window was idle */
    c.periods = 2;
    c.window = 2 * SECOND;
    findings_find(&s, &c, &findings);
    assert_int_equal(findings.n, 0);
    c = quota(6, CONTEXT_ABSENT);
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-throttled");

    set_throttled(&s);
    throttled_silence(&s, 0.5);
    c = quota(0, 0);
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "host-stalled");
    c.throttled_periods = CONTEXT_ABSENT;
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-throttled");
}

/* Too few in step, or too small a part of all. */
static void test_throttled_by_chance(void **state)
{
    struct summary s = sound();

    (void)state;
    set_throttled(&s);
    throttled_silence(&s, 0.5);
    s.silences.in_step = 5;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "host-stalled");
    s.silences.count = 5;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "cpu-throttled");
    s.silences.count = s.silences.in_step = 4;
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "host-stalled");
}

/* What the host does stands first, whatever the scores, and explains the rest. */
static void test_host_first(void **state)
{
    struct summary s = sound();

    (void)state;
    set_lock(&s);
    set_cpu(&s);
    s.classes.sync[STACK_LOCK].total = part(100);
    set_throttled(&s);
    throttled_silence(&s, 0.16);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, 3);
    assert_string_equal(findings.label, "cpu-throttled");
    assert_true(findings.list[0].score < findings.list[1].score);
    assert_null(findings.list[0].because);
    assert_string_equal(findings.list[1].because, "cpu-throttled");
    assert_string_equal(findings.list[2].because, "cpu-throttled");
    s.procs.executing = part(2);
    s.gc.cycles = 9; /* a fourth leaves it in the list */
    s.gc.assist_executing = part(1);
    findings_find(&s, NULL, &findings);
    assert_int_equal(findings.n, FINDINGS_MAX);
    assert_string_equal(findings.label, "cpu-throttled");
}

/* What silences and waits for a CPU take off may overlap: no share is more than all. */
static void test_no_more_than_all(void **state)
{
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    s.procs.queued = part(0.3);
    s.scheduler.overdue_with_free = part(0.6);
    s.scheduler.overdue_lost = part(1.5);
    s.silences.kept.total = part(0.5);
    findings_find(&s, NULL, &findings);
    assert_string_equal(findings.label, "cpu-saturated");
    for (size_t i = 0; i < findings.list[0].n_evidence; i++) {
        const struct finding_number *n = &findings.list[0].evidence[i];

        if (strstr(n->name, "_share"))
            assert_true(n->value >= 0 && n->value <= 1);
    }
}

/* A number of CPUs that is a fraction on average is not what GOMAXPROCS is. */
static void test_remark_is_of_whole_cpus(void **state)
{
    struct context c = {.throttled_periods = CONTEXT_ABSENT, .cpus = 2};
    struct summary s = sound();

    (void)state;
    set_cpu(&s);
    s.procs.mean = 2.4; /* there were four for a while */
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-saturated");
    assert_string_equal(findings.list[0].remark, "");
    s = sound();
    s.procs.mean = 2.4;
    c = quota(6, part(0.3));
    c.quota = 2 * c.period;
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-throttled");
    assert_string_equal(findings.list[0].remark, "");
    c.quota = c.period;
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.list[0].remark, "GOMAXPROCS is 2, the quota 1 CPU");
}

/* Counters that cannot be so: neither they nor the numbers beside them are believed. */
static void assert_nothing(const struct context *c)
{
    struct summary s = sound();

    findings_find(&s, c, &findings);
    assert_int_equal(findings.n, 0);
    assert_string_equal(findings.label, "healthy");
    set_throttled(&s); /* and what the trace itself shows still counts */
    throttled_silence(&s, 0.5);
    findings_find(&s, c, &findings);
    assert_string_equal(findings.label, "cpu-throttled");
    assert_string_equal(findings.list[0].evidence[0].name, "silent_share");
    assert_float_equal(findings.list[0].lost, 0, 1e-9);
}

static void test_impossible_counters(void **state)
{
    const struct context good = quota(6, part(0.3));
    struct context c = good;

    (void)state;
    c.throttled_periods = 11; /* of ten */
    assert_nothing(&c);
    c = good;
    c.periods = CONTEXT_ABSENT; /* it ran backwards: another cgroup of the same name */
    assert_nothing(&c);
    c = good;
    c.quota = CONTEXT_ABSENT; /* unlimited */
    assert_nothing(&c);
    c.quota = 0;
    assert_nothing(&c);
    c = good;
    c.period = 0;
    assert_nothing(&c);
    c.period = CONTEXT_ABSENT;
    assert_nothing(&c);
    c = good;
    c.window = SECOND / 100; /* a tenth of a period */
    assert_nothing(&c);
    c.periods = c.throttled_periods = 1;
    assert_nothing(&c);
    c = good;
    c.periods = 50; /* five seconds of them, in one */
    c.throttled_periods = 45;
    assert_nothing(&c);
    c = good;
    c.cpus = 2;
    c.throttled = 5 * SECOND; /* for longer than two CPUs have */
    assert_nothing(&c);
    c.cpus = CONTEXT_ABSENT;
    c.throttled = INT64_MAX;
    assert_nothing(&c);
    c = quota(INT64_MAX, INT64_MAX);
    c.window = c.quota = c.period = c.periods = c.usage = INT64_MAX;
    c.cpus = c.cpus_allowed = INT64_MAX;
    assert_nothing(&c);
}

/* Without a window the counters are held against the trace's. */
static void test_unknown_window(void **state)
{
    struct context c = quota(6, part(0.3));
    struct summary s = sound();

    (void)state;
    c.window = CONTEXT_ABSENT;
    findings_find(&s, &c, &findings);
    assert_string_equal(findings.label, "cpu-throttled");
    assert_true(context_counts_throttling(&c, 0));
    assert_false(context_counts_throttling(&c, 1e7));
}

static void test_share(void **state)
{
    (void)state;
    assert_float_equal(context_share(1, 2), 0.5, 1e-9);
    assert_float_equal(context_share(105, 100), 1, 1e-9);
    assert_true(context_share(111, 100) < 0);
    assert_true(context_share(CONTEXT_ABSENT, 100) < 0);
    assert_true(context_share(5, 0) < 0);
    assert_true(context_share(5, -1) < 0);
    assert_true(context_share(INT64_MAX, 1) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_threads_that_wait),
        cmocka_unit_test(test_more_procs_than_cpus),
        cmocka_unit_test(test_stalled_queue),
        cmocka_unit_test(test_throttled_counted),
        cmocka_unit_test(test_throttled_by_chance),
        cmocka_unit_test(test_host_first),
        cmocka_unit_test(test_no_more_than_all),
        cmocka_unit_test(test_remark_is_of_whole_cpus),
        cmocka_unit_test(test_impossible_counters),
        cmocka_unit_test(test_unknown_window),
        cmocka_unit_test(test_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
