/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the advisors say of made-up summaries: at the bounds, and of what real programs of a test
 * cannot be made to show.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/advise/rules.h"

static struct samples s;
static struct advice advice[RULES];

/* Adds `n` samples of this JSON, whose ' stand for ". */
static void add(size_t n, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(size_t n, const char *format, ...)
{
    char text[2000];
    json_t *json;
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json = json_loads(text, 0, NULL);
    assert_non_null(json);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(samples_add(&s, json, 0), 0);
    json_decref(json);
}

static const struct advice *of(const char *rule)
{
    rules_judge(&s, advice);
    for (size_t i = 0; i < RULES; i++)
        if (strcmp(advice[i].rule, rule) == 0)
            return &advice[i];
    fail();
    return NULL;
}

static double number(const struct advice *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->numbers[i].name, name) == 0)
            return a->numbers[i].value;
    return NAN;
}

static int clear(void **state)
{
    (void)state;
    samples_done(&s);
    memset(&s, 0, sizeof(s));
    return 0;
}

#define WAITS                                                                         \
    "'window_ns': 1000, 'procs': {'gomaxprocs': {'last': 4}, 'executing_share': 0.9," \
    " 'all_busy_ns': %d, 'gc_share': %g}, 'scheduler': {'latency': {'p99_ns': %g},"   \
    " 'runnable_mean': 1}"

static void test_latency(void **state)
{
    (void)state;
    add(1, "{" WAITS "}", 500, 0., 10e6);
    assert_int_equal(of("cpu")->verdict, VERDICT_CHANGE);
    assert_non_null(strstr(of("cpu")->text, "from 4 to 5"));
    assert_non_null(strstr(of("cpu")->text, "no sample says"));
    (void)clear(NULL);
    add(1, "{" WAITS "}", 499, 0., 10e6);
    assert_string_equal(of("cpu")->text,
                        "Do not raise GOMAXPROCS: Ps are free while goroutines wait.");
    (void)clear(NULL);
    add(1, "{" WAITS "}", 900, 0., 0.99e6);
    assert_string_equal(of("cpu")->text, "Do not raise GOMAXPROCS: nobody waits 1 ms for a P.");
    add(1, "{" WAITS "}", 900, 0., 9.9e6);
    assert_string_equal(of("cpu")->text,
                        "Do not raise GOMAXPROCS: waits for a P stay below 10 ms.");
    assert_true(number(of("cpu"), "latency_p99_max_ns") == 9.9e6);
    assert_int_equal(of("cpu")->samples, 2);
    (void)clear(NULL);
    add(1, "{" WAITS "}", 900, 0.3, 20e6);
    assert_int_equal(of("cpu")->verdict, VERDICT_KEEP);
    assert_non_null(strstr(of("cpu")->text, "collector"));
}

/* One of up to three, two of up to twenty, a tenth of more. */
static void test_peak(void **state)
{
    static const struct {
        size_t hot, cold;
        bool change;
    } rows[] = {{1, 2, true}, {1, 3, false}, {2, 18, true}, {2, 19, false}, {3, 22, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        add(rows[i].hot, "{" WAITS "}", 900, 0., 20e6);
        add(rows[i].cold, "{" WAITS "}", 100, 0., 1e5);
        assert_int_equal(of("cpu")->verdict == VERDICT_CHANGE, rows[i].change);
        assert_int_equal(of("cpu")->of, rows[i].hot + rows[i].cold);
        (void)clear(NULL);
    }
}

static void test_full_machine(void **state)
{
    (void)state;
    add(1, "{" WAITS ", 'context': {'window_ns': 1000, 'host': {'cpus': 8, 'busy_ns': 7300}}}", 900,
        0., 20e6);
    assert_non_null(strstr(of("cpu")->text, "the machine is full"));
    (void)clear(NULL);
    add(1, "{" WAITS ", 'context': {'window_ns': 1000, 'host': {'cpus': 8, 'busy_ns': 5000}}}", 900,
        0., 20e6);
    assert_string_equal(of("cpu")->text, "Raise GOMAXPROCS from 4 to 5.");
}

/* So many wait in the poller at any time. */
static void test_goroutines(void **state)
{
    static const char format[] =
        "{'window_ns': 1000, 'goroutines': {'max_alive': 21000, 'network_ns': %d}}";

    (void)state;
    add(1, format, 10000000);
    assert_int_equal(of("goroutines")->verdict, VERDICT_CHANGE);
    assert_true(number(of("goroutines"), "polled_mean") == 10000);
    assert_true(number(of("goroutines"), "stacks_least_bytes") == 20480000);
    (void)clear(NULL);
    add(1, format, 9999999);
    assert_int_equal(of("goroutines")->verdict, VERDICT_KEEP);
}

static void test_collector(void **state)
{
    static const char format[] =
        "{'window_ns': 1000000000, 'procs': {'gomaxprocs': {'last': 4}, 'gc_share': %g},"
        " 'gc': {'cycles': %d, 'assist': {'share': %g}, 'heap_goal_max_bytes': 50000000}}";

    (void)state;
    add(1, format, 0.1, 2, 0.);
    assert_int_equal(of("gc")->verdict, VERDICT_CHANGE);
    assert_true(fabs(number(of("gc"), "saved_cpus") - 0.2) < 1e-9);
    assert_true(number(of("gc"), "more_memory_bytes") == 50000000);
    assert_non_null(strstr(of("gc")->cost, "0.2 CPUs, for at most 50 MB"));
    (void)clear(NULL);
    add(1, format, 0.1, 1, 0.); /* one huge heap: the goal is no matter */
    assert_int_equal(of("gc")->verdict, VERDICT_KEEP);
    (void)clear(NULL);
    add(1, format, 0.05, 9, 0.1);
    assert_int_equal(of("gc")->verdict, VERDICT_CHANGE);
    (void)clear(NULL);
    add(1, format, 0.09, 9, 0.09);
    assert_int_equal(of("gc")->verdict, VERDICT_KEEP);
}

/* What it is about is what most samples have; a lock that is held over something needs no shards. */
static void test_locks(void **state)
{
    static const char format[] =
        "{'window_ns': 1000, 'findings': [{'code': 'lock-contention', 'score': %g, 'remark': '%s',"
        " 'evidence': {'waiting_mean': %d}, 'sites': [{'func': 'f', 'file': 'a/b.go', 'line': %d},"
        " {'func': 'x', 'file': 'a/x.go', 'line': 9}]}]}";

    (void)state;
    add(2, format, 0.9, "", 5, 1);
    add(1, format, 0.9, "", 50, 2);
    assert_string_equal(of("lock")->text, "Shard the lock at f (b.go:1), or hold it for less.");
    assert_int_equal(of("lock")->samples, 2);
    assert_true(number(of("lock"), "waiting_mean") == 5);
    add(2, format, 0.9, "held over fdatasync (g)", 70, 2);
    assert_string_equal(of("lock")->text, "Do not hold the lock at f (b.go:2) over fdatasync (g).");
    (void)clear(NULL);
    add(3, format, 0.49, "", 5, 1);
    assert_int_equal(of("lock")->verdict, VERDICT_KEEP);
}

static void test_pools(void **state)
{
    static const char format[] =
        "{'window_ns': 1000, 'findings': [{'code': 'blocked-in-request', 'score': 1, 'remark': '%s',"
        " 'evidence': {'waiting_mean': 3.2}}]}";

    (void)state;
    add(1, format, "waits for a connection of the pool go-redis");
    assert_non_null(strstr(of("pool")->text, "the pool go-redis (Options.PoolSize) that a call"));
    assert_non_null(strstr(of("pool")->reason, "With 4 connections more"));
    (void)clear(NULL);
    add(1, format, "waits for a limit");
    assert_int_equal(of("pool")->verdict, VERDICT_KEEP);
}

/* Numbers that are not there, or cannot be so, are not known; what is not inspected does not count. */
static void test_unknown(void **state)
{
    (void)state;
    add(1, "{'window_ns': 1000, 'procs': {'gc_share': -1, 'gomaxprocs': 4}, 'gc': [], 'context': 7,"
           " 'findings': {'code': 1}, 'goroutines': []}");
    assert_int_equal(of("cpu")->verdict, VERDICT_UNKNOWN);
    assert_int_equal(of("gc")->verdict, VERDICT_UNKNOWN);
    assert_int_equal(of("quota")->verdict, VERDICT_UNKNOWN);
    assert_int_equal(of("goroutines")->verdict, VERDICT_UNKNOWN);
    assert_int_equal(of("lock")->verdict, VERDICT_KEEP);
    add(1, "{'window_ns': 0}");
    add(1, "{'window_ns': 5, 'label': 'not-inspected'}");
    add(1, "[]");
    assert_int_equal(s.n, 1);
    assert_int_equal(s.left_out, 3);
    add(SAMPLES_MAX - 1, "{'window_ns': 5}");
    {
        json_t *json = json_pack("{s:i}", "window_ns", 5);

        assert_int_equal(samples_add(&s, json, 0), -E2BIG);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_latency, clear),
        cmocka_unit_test_teardown(test_peak, clear),
        cmocka_unit_test_teardown(test_full_machine, clear),
        cmocka_unit_test_teardown(test_goroutines, clear),
        cmocka_unit_test_teardown(test_collector, clear),
        cmocka_unit_test_teardown(test_locks, clear),
        cmocka_unit_test_teardown(test_pools, clear),
        cmocka_unit_test_teardown(test_unknown, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
