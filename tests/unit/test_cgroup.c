/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/context/cgroup.h"
#include "tests/support/hosttree.h"
#include "tests/support/scratch.h"

#define PID 4711
#define V2 "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
#define POD "sys/fs/cgroup/pod"
#define OWN "sys/fs/cgroup/pod/c1"
#define PRESSURE(some, full)                                  \
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=" some "\n" \
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=" full "\n"

static struct world {
    char *dir;
    int root;
    struct cgroup g;
    struct cgroup_reading first, second;
    struct context context;
} w;

static int set_up(void **state)
{
    (void)state;
    w.dir = scratch_new(NULL);
    w.root = hosttree_open(w.dir);
    hosttree_reset();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)close(w.root);
    scratch_free(w.dir);
    return 0;
}

static void put(const char *path, const char *text)
{
    hosttree_write(w.dir, path, text);
}

static void begin(const char *cgroups, const char *mounts)
{
    put("proc/4711/cgroup", cgroups);
    put("proc/self/mountinfo", mounts);
    cgroup_find(w.root, PID, &w.g);
    cgroup_read(w.root, &w.g, &w.first);
}

static void end(void)
{
    cgroup_read(w.root, &w.g, &w.second);
    context_init(&w.context);
    cgroup_tell(&w.g, &w.first, &w.second, &w.context);
}

/* A container with a quota in a pod with a wider one. */
static void put_pod(void)
{
    put(OWN "/cpu.max", "50000 100000\n");
    put(OWN "/cpu.stat", "usage_usec 1000\nuser_usec 1\nnr_periods 10\nnr_throttled 2\n"
                         "throttled_usec 300\n");
    put(OWN "/cpu.pressure", PRESSURE("100", "50"));
    put(OWN "/io.pressure", PRESSURE("1", "0"));
    put(OWN "/memory.current", "1000\n");
    put(OWN "/memory.max", "max\n");
    put(OWN "/memory.pressure", PRESSURE("7", "7"));
    put(POD "/cpu.max", "200000 100000\n");
    put(POD "/cpu.stat", "usage_usec 9000\nnr_periods 100\nnr_throttled 20\nthrottled_usec 5\n");
    put(POD "/memory.current", "5000\n");
    put(POD "/memory.max", "8000\n");
    put(POD "/memory.pressure", PRESSURE("10", "0"));
    put("sys/fs/cgroup/cpu.stat", "usage_usec 77\n");
}

static void test_version_2(void **state)
{
    (void)state;
    put_pod();
    begin("0::/pod/c1\n", V2);
    put(OWN "/cpu.stat", "usage_usec 1500\nnr_periods 30\nnr_throttled 17\nthrottled_usec 900\n");
    put(OWN "/cpu.pressure", PRESSURE("600", "51"));
    put(OWN "/io.pressure", PRESSURE("4", "2"));
    put(POD "/memory.current", "6000\n");
    put(POD "/memory.pressure", PRESSURE("12", "1"));
    end();
    assert_int_equal(w.context.cgroup_version, 2);
    assert_string_equal(w.context.level, "/pod/c1");
    assert_int_equal(w.context.levels_up, 0);
    assert_int_equal(w.context.quota, 50000000);
    assert_int_equal(w.context.period, 100000000);
    assert_int_equal(w.context.periods, 20);
    assert_int_equal(w.context.throttled_periods, 15);
    assert_int_equal(w.context.throttled, 600000);
    assert_int_equal(w.context.usage, 500000);
    assert_int_equal(w.context.cgroup_cpu.some, 500000);
    assert_int_equal(w.context.cgroup_cpu.full, 1000);
    assert_int_equal(w.context.cgroup_io.some, 3000);
    assert_int_equal(w.context.cgroup_io.full, 2000);
    assert_string_equal(w.context.memory_level, "/pod");
    assert_int_equal(w.context.memory_levels_up, 1);
    assert_int_equal(w.context.memory_current, 6000);
    assert_int_equal(w.context.memory_max, 8000);
    assert_int_equal(w.context.cgroup_memory.some, 2000);
    assert_int_equal(w.context.cgroup_memory.full, 1000);
}

/* The pod is throttled, its container is not. */
static void test_throttled_above(void **state)
{
    (void)state;
    put_pod();
    begin("0::/pod/c1\n", V2);
    put(POD "/cpu.stat", "usage_usec 9800\nnr_periods 120\nnr_throttled 21\nthrottled_usec 9\n");
    end();
    assert_string_equal(w.context.level, "/pod");
    assert_int_equal(w.context.levels_up, 1);
    assert_int_equal(w.context.quota, 200000000);
    assert_int_equal(w.context.throttled_periods, 1);
    assert_int_equal(w.context.usage, 800000);
}

/* Nobody was throttled: the tightest quota is the one to tell; of one reading as well. */
static void test_tightest_quota(void **state)
{
    (void)state;
    put_pod();
    put(POD "/cpu.max", "30000 100000\n");
    begin("0::/pod/c1\n", V2);
    end();
    assert_int_equal(w.context.levels_up, 1);
    assert_int_equal(w.context.quota, 30000000);
    assert_int_equal(w.context.throttled_periods, 0);
    context_init(&w.context);
    cgroup_tell(&w.g, NULL, &w.first, &w.context);
    assert_int_equal(w.context.quota, 30000000);
    assert_int_equal(w.context.throttled_periods, CONTEXT_ABSENT);
    assert_int_equal(w.context.usage, CONTEXT_ABSENT);
    assert_int_equal(w.context.cgroup_io.some, CONTEXT_ABSENT);
    assert_int_equal(w.context.memory_current, 5000);
    assert_int_equal(w.context.cgroup_memory.some, CONTEXT_ABSENT);
}

/* No quota anywhere, as without the controller: what there is, is the use. */
static void test_no_quota(void **state)
{
    (void)state;
    put(OWN "/cpu.stat", "usage_usec 5\n");
    put(POD "/cpu.stat", "usage_usec 6\n");
    begin("0::/pod/c1\n", V2);
    put(OWN "/cpu.stat", "usage_usec 9\n");
    end();
    assert_int_equal(w.context.levels_up, 0);
    assert_int_equal(w.context.usage, 4000);
    assert_int_equal(w.context.quota, CONTEXT_ABSENT);
    assert_int_equal(w.context.period, CONTEXT_ABSENT);
    assert_int_equal(w.context.periods, CONTEXT_ABSENT);
    assert_int_equal(w.context.throttled_periods, CONTEXT_ABSENT);
    assert_int_equal(w.context.memory_levels_up, CONTEXT_ABSENT);
    assert_string_equal(w.context.memory_level, "");
}

#define V1                                                                \
    "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"         \
    "33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n" \
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"   \
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

static void test_version_1(void **state)
{
    (void)state;
    hosttree_type = CGROUP_SUPER_MAGIC;
    put("sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpu/a/b/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "20000\n");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpu/a/cpu.stat", "nr_periods 5\nnr_throttled 3\nthrottled_time 1000\n");
    put("sys/fs/cgroup/cpuacct/a/b/cpuacct.usage", "100\n");
    put("sys/fs/cgroup/cpuacct/a/cpuacct.usage", "200\n");
    put("sys/fs/cgroup/memory/m/memory.usage_in_bytes", "4096\n");
    put("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/unified/unit/cpu.pressure", PRESSURE("1", "1"));
    begin("3:memory:/m\n2:cpuacct:/a/b\n1:cpu:/a/b\n0::/unit\n", V1);
    put("sys/fs/cgroup/cpu/a/cpu.stat", "nr_periods 9\nnr_throttled 6\nthrottled_time 1700\n");
    put("sys/fs/cgroup/cpuacct/a/cpuacct.usage", "450\n");
    end();
    assert_int_equal(w.context.cgroup_version, 1);
    assert_string_equal(w.context.level, "/a");
    assert_int_equal(w.context.levels_up, 1);
    assert_int_equal(w.context.quota, 20000000);
    assert_int_equal(w.context.period, 100000000);
    assert_int_equal(w.context.periods, 4);
    assert_int_equal(w.context.throttled_periods, 3);
    assert_int_equal(w.context.throttled, 700);
    assert_int_equal(w.context.usage, 250);
    assert_int_equal(w.context.cgroup_cpu.some, CONTEXT_ABSENT);
    assert_string_equal(w.context.memory_level, "/m");
    assert_int_equal(w.context.memory_current, 4096);
    assert_int_equal(w.context.memory_max, CONTEXT_ABSENT);
}

/* The time is counted in a hierarchy where the process stands elsewhere. */
static void test_other_hierarchy(void **state)
{
    (void)state;
    hosttree_type = CGROUP_SUPER_MAGIC;
    put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "20000\n");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpu/a/cpu.stat", "nr_periods 5\nnr_throttled 3\nthrottled_time 1000\n");
    put("sys/fs/cgroup/cpuacct/cpuacct.usage", "100\n");
    begin("2:cpuacct:/\n1:cpu:/a\n", V1);
    end();
    assert_int_equal(w.context.throttled_periods, 0);
    assert_int_equal(w.context.usage, CONTEXT_ABSENT);
}

/* In the other container of a pod, whose process is of our user. */
static void test_through_the_process(void **state)
{
    (void)state;
    put("proc/4711/mountinfo", "30 23 0:26 /../c2 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    put("proc/4711/root/sys/fs/cgroup/cpu.max", "50000 100000\n");
    put("proc/4711/root/sys/fs/cgroup/cpu.stat", "usage_usec 1\nnr_periods 1\nnr_throttled 1\n");
    put("sys/fs/cgroup/cpu.max", "70000 100000\n"); /* ours */
    begin("0::/../c2\n", V2);
    put("proc/4711/root/sys/fs/cgroup/cpu.stat", "usage_usec 1\nnr_periods 3\nnr_throttled 2\n");
    end();
    assert_string_equal(w.context.level, "/../c2");
    assert_int_equal(w.context.quota, 50000000);
    assert_int_equal(w.context.throttled_periods, 1);

    /* Links of its file system lead nowhere. */
    assert_int_equal(rename(scratch_path(w.dir, "proc/4711/root/sys/fs"),
                            scratch_path(w.dir, "proc/4711/root/real")),
                     0);
    assert_int_equal(symlink("/real", scratch_path(w.dir, "proc/4711/root/sys/fs")), 0);
    begin("0::/../c2\n", V2);
    assert_int_equal(w.first.cpu[0].quota, CONTEXT_ABSENT);

    /* Root does not go there. */
    hosttree_user = 0;
    begin("0::/../c2\n", V2);
    assert_int_equal(w.g.parts[CGROUP_CPU].version, 0);
}

/* Nothing of what cannot be told is 0. */
static void assert_nothing(void)
{
    struct context nothing;

    end();
    context_init(&nothing);
    assert_int_equal(w.context.cgroup_version, nothing.cgroup_version);
    assert_string_equal(w.context.level, "");
    assert_int_equal(w.context.quota, CONTEXT_ABSENT);
    assert_int_equal(w.context.usage, CONTEXT_ABSENT);
    assert_int_equal(w.context.throttled_periods, CONTEXT_ABSENT);
    assert_int_equal(w.context.cgroup_io.some, CONTEXT_ABSENT);
    assert_int_equal(w.context.memory_current, CONTEXT_ABSENT);
}

static void test_missing(void **state)
{
    (void)state;
    cgroup_find(w.root, PID, &w.g); /* no process */
    cgroup_read(w.root, &w.g, &w.first);
    assert_nothing();
    begin("0::/pod/c1\n", V2); /* no directory */
    assert_nothing();
    put(OWN, NULL);
    begin("0::/pod/c1\n", V2); /* no files */
    assert_nothing();
    put_pod();
    hosttree_type = TMPFS_MAGIC; /* files that the kernel does not fill */
    begin("0::/pod/c1\n", V2);
    assert_nothing();
    hosttree_type = CGROUP2_SUPER_MAGIC;
    begin("0::/pod/c1 (deleted)\n", V2);
    assert_nothing();
}

/* A mount of something else stands over a directory on the way, or over one file. */
static void test_mounted_over(void **state)
{
    (void)state;
    put_pod();
    hosttree_mount = 30;
    begin("0::/pod/c1\n", V2);
    end();
    assert_int_equal(w.context.quota, 50000000);
    hosttree_mount = 31; /* of another cgroup */
    begin("0::/pod/c1\n", V2);
    assert_nothing();
    hosttree_mount = 30;
    hosttree_over = "/c1/cpu.";
    begin("0::/pod/c1\n", V2);
    end();
    assert_int_equal(w.context.levels_up, 1);
    assert_int_equal(w.context.quota, 200000000);
    assert_int_equal(w.context.memory_current, 5000);
    hosttree_over = "/proc/4711/cgroup";
    begin("0::/pod/c1\n", V2);
    assert_nothing();
}

static void test_malformed(void **state)
{
    (void)state;
    put(OWN "/cpu.max", "\n\nmax");
    put(OWN "/cpu.stat", "usage_usec\nnr_periods -1\nnr_throttled 1e3\nthrottled_usec "
                         "99999999999999999999\n");
    put(OWN "/cpu.pressure", "some\nfull");
    put(OWN "/memory.max", "");
    put(OWN "/memory.current", "much\n");
    put(POD "/cpu.max", "-5 0\n");
    begin("0::/pod/c1\n", V2);
    assert_nothing();
    /* The counters went back: it is another cgroup of the same name. */
    put_pod();
    begin("0::/pod/c1\n", V2);
    put(OWN "/cpu.stat", "usage_usec 1\nnr_periods 1\nnr_throttled 1\nthrottled_usec 1\n");
    put(POD "/cpu.stat", "usage_usec 1\nnr_periods 1\nnr_throttled 1\nthrottled_usec 1\n");
    end();
    assert_int_equal(w.context.throttled_periods, CONTEXT_ABSENT);
    assert_int_equal(w.context.usage, CONTEXT_ABSENT);
}

static void test_huge(void **state)
{
    char *huge = malloc(1 << 20);

    (void)state;
    memset(huge, '9', (1 << 20) - 1);
    huge[(1 << 20) - 1] = '\0';
    put(OWN "/cpu.max", huge);
    put(OWN "/cpu.stat", huge);
    put(OWN "/memory.current", huge);
    begin(huge, huge);
    assert_nothing();
    begin("0::/pod/c1\n", V2);
    assert_nothing();
    free(huge);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_version_2),           TEST(test_throttled_above),
        TEST(test_tightest_quota),      TEST(test_no_quota),
        TEST(test_version_1),           TEST(test_other_hierarchy),
        TEST(test_through_the_process), TEST(test_missing),
        TEST(test_malformed),           TEST(test_huge),
        TEST(test_mounted_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
