/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/context/readings.h"
#include "tests/support/hosttree.h"
#include "tests/support/scratch.h"

#define PID 4711

static char *dir;

static int set_up(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_free(dir);
    return 0;
}

static void put_process(unsigned start, unsigned ticks)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "4711 (shop) S 1 1 1 0 -1 0 3 2 5 8 %u 0 3 4 20 0 9 0 %u 2000000 10 18446\n",
                   ticks, start);
    hosttree_write(dir, "proc/4711/stat", text);
}

static void put_throttled(unsigned periods)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "usage_usec 1\nnr_periods %u\nnr_throttled %u\n", periods,
                   periods);
    hosttree_write(dir, "sys/fs/cgroup/shop/cpu.stat", text);
}

static void put_all(void)
{
    put_process(7, 10);
    put_throttled(5);
    hosttree_write(dir, "proc/4711/cgroup", "0::/shop\n");
    hosttree_write(dir, "proc/self/mountinfo",
                   "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    hosttree_write(dir, "sys/fs/cgroup/shop/cpu.max", "50000 100000\n");
    hosttree_write(dir, "sys/devices/system/cpu/online", "0-3\n");
}

static struct context context_of(const struct readings *r)
{
    struct context c;

    readings_context(r, &c);
    return c;
}

static void test_window(void **state)
{
    struct readings *r;
    struct context c;

    (void)state;
    put_all();
    r = readings_begin(dir, PID);
    assert_non_null(r);
    c = context_of(r);
    assert_int_equal(c.window, CONTEXT_ABSENT);
    assert_int_equal(c.threads, 9);
    assert_int_equal(c.quota, 50000000);
    assert_int_equal(c.throttled_periods, CONTEXT_ABSENT);
    put_process(7, 15);
    put_throttled(9);
    readings_end(r);
    c = context_of(r);
    assert_true(c.window >= 0);
    assert_int_equal(c.cpus, 4);
    assert_int_equal(c.cpu, 5 * (1000000000 / sysconf(_SC_CLK_TCK)));
    assert_int_equal(c.throttled_periods, 4);
    assert_string_equal(c.level, "/shop");
    readings_free(r);
}

/* Nothing is said of a process that is not known, not visible, or not the same any more. */
static void test_unknown(void **state)
{
    const struct {
        uint32_t pid;
        unsigned start;
    } rows[] = {{0, 7}, {4712, 7}, {(uint32_t)getpid(), 7}, {PID, 8}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct readings *r;
        struct context c;

        put_all();
        r = readings_begin(dir, rows[i].pid);
        assert_non_null(r);
        put_process(rows[i].start, 10);
        readings_end(r);
        c = context_of(r);
        assert_true(c.window >= 0);
        assert_int_equal(c.cpus, 4);
        assert_int_equal(c.threads, CONTEXT_ABSENT);
        assert_int_equal(c.cgroup_version, CONTEXT_ABSENT);
        assert_int_equal(c.throttled_periods, CONTEXT_ABSENT);
        assert_string_equal(c.level, "");
        readings_free(r);
    }
}

/* Behind a port that is forwarded may stand another machine. */
static void test_elsewhere(void **state)
{
    struct readings *r;
    struct context c;

    (void)state;
    put_all();
    hosttree_write(dir, "proc/4711/stat",
                   "4711 (ssh) S 1 1 1 0 -1 0 3 2 5 8 1 0 3 4 20 0 9 0 7 2000000 10 18446\n");
    r = readings_begin(dir, PID);
    readings_end(r);
    c = context_of(r);
    assert_int_equal(c.window, CONTEXT_ABSENT);
    assert_int_equal(c.cpus, CONTEXT_ABSENT);
    assert_int_equal(c.threads, CONTEXT_ABSENT);
    readings_free(r);
}

static void test_no_host(void **state)
{
    struct readings *r = readings_begin(scratch_path(dir, "none"), PID);
    struct context c;

    (void)state;
    readings_end(r);
    c = context_of(r);
    assert_true(c.window >= 0);
    assert_int_equal(c.cpus, CONTEXT_ABSENT);
    assert_int_equal(c.threads, CONTEXT_ABSENT);
    readings_free(r);
    readings_free(NULL);
}

static int64_t used(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

/* On the real machine: a process, with nothing left open. What it cost is printed, for
 * docs/PERFORMANCE.md. */
static void test_real(void **state)
{
    size_t descriptors = scratch_descriptors();
    pid_t parent = getppid();
    int64_t before = used();
    struct context c;
    enum { TIMES = 200 };

    (void)state;
    for (int i = 0; i < TIMES; i++) {
        struct readings *r = readings_begin("/", (uint32_t)parent);

        readings_end(r);
        c = context_of(r);
        readings_free(r);
    }
    print_message("two readings: %lld us of CPU\n", (long long)(used() - before) / TIMES);
    assert_int_equal(scratch_descriptors(), descriptors);
    assert_true(c.cpus > 0);
    assert_true(c.threads > 0);
    assert_true(c.rss > 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_window),  TEST(test_unknown), TEST(test_elsewhere),
        TEST(test_no_host), TEST(test_real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
