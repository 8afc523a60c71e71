/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "daemon/context/hoststat.h"
#include "tests/support/hosttree.h"
#include "tests/support/scratch.h"

#define TICK (1000000000 / sysconf(_SC_CLK_TCK))
#define PRESSURE(total) "some avg10=0.00 total=" total "\nfull avg10=0.00 total=1\n"

static char *dir;
static int root;

static int set_up(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    root = hosttree_open(dir);
    hosttree_reset();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)close(root);
    scratch_free(dir);
    return 0;
}

static void put(const char *path, const char *text)
{
    hosttree_write(dir, path, text);
}

static void test_difference(void **state)
{
    struct hoststat first, second;
    struct context c;

    (void)state;
    put("sys/devices/system/cpu/online", "0-3\n");
    put("proc/loadavg", "3.14 2.00 1.00 5/104 22865\n");
    put("proc/stat", "cpu  100 10 20 1000 5 2 3 40 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n");
    put("proc/pressure/cpu", PRESSURE("100"));
    put("proc/pressure/memory", PRESSURE("200"));
    put("proc/pressure/io", PRESSURE("300"));
    hoststat_read(root, &first);
    put("proc/loadavg", "4.00 2.00 1.00 5/104 22865\n");
    put("proc/stat", "cpu  150 10 30 1100 9 2 4 47 0 0\n");
    put("proc/pressure/cpu", PRESSURE("150"));
    put("proc/pressure/io", PRESSURE("301"));
    hoststat_read(root, &second);
    context_init(&c);
    hoststat_tell(&first, &second, &c);
    assert_int_equal(c.cpus, 4);
    assert_true(c.load > 3.99 && c.load < 4.01);
    assert_int_equal(c.busy, 61 * TICK);
    assert_int_equal(c.steal, 7 * TICK);
    assert_int_equal(c.host_cpu.some, 50000);
    assert_int_equal(c.host_cpu.full, 0);
    assert_int_equal(c.host_memory.some, 0);
    assert_int_equal(c.host_io.some, 1000);
    context_init(&c);
    hoststat_tell(NULL, &first, &c);
    assert_int_equal(c.cpus, 4);
    assert_int_equal(c.busy, CONTEXT_ABSENT);
    assert_int_equal(c.host_cpu.some, CONTEXT_ABSENT);
}

static void test_missing(void **state)
{
    struct hoststat h;
    struct context c;

    (void)state;
    hoststat_read(root, &h);
    context_init(&c);
    hoststat_tell(&h, &h, &c);
    assert_int_equal(c.cpus, CONTEXT_ABSENT);
    assert_true(c.load < 0);
    assert_int_equal(c.busy, CONTEXT_ABSENT);
    assert_int_equal(c.steal, CONTEXT_ABSENT);
    assert_int_equal(c.host_memory.full, CONTEXT_ABSENT);
    hoststat_read(-1, &h);
    assert_int_equal(h.cpus, CONTEXT_ABSENT);
}

/* As lxcfs does. */
static void test_mounted_over(void **state)
{
    struct hoststat h;

    (void)state;
    put("sys/devices/system/cpu/online", "0-3\n");
    put("proc/loadavg", "3.14 2.00 1.00 5/104 22865\n");
    put("proc/stat", "cpu  100 10 20 1000 5 2 3 40 0 0\n");
    put("proc/pressure/cpu", PRESSURE("100"));
    hosttree_over = "/proc/stat";
    hoststat_read(root, &h);
    assert_int_equal(h.busy, CONTEXT_ABSENT);
    assert_int_equal(h.cpu.some, 100000);
    assert_true(h.load > 3);
    hosttree_over = "/proc/";
    hoststat_read(root, &h);
    assert_int_equal(h.cpus, 4);
    assert_int_equal(h.cpu.some, CONTEXT_ABSENT);
    assert_true(h.load < 0);
    hosttree_over = "/cpu/online";
    hoststat_read(root, &h);
    assert_int_equal(h.cpus, CONTEXT_ABSENT);
}

static void test_malformed(void **state)
{
    static const char *const stats[] = {
        "",
        "cpu",
        "cpu ",
        "cpu0 1 2 3 4 5 6 7 8\n",
        "cpu  1 2 x 4 5 6 7 8\n",
        "cpu  9223372036854775807 9223372036854775807 3 4 5 6 7 8\n",
        "intr 5\n",
    };
    static const char *const loads[] = {"", "\n", "much", "-1.0 2", "nan", "1e9"};
    struct hoststat h;

    (void)state;
    put("sys/devices/system/cpu/online", "0-1\n");
    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
        put("proc/stat", stats[i]);
        hoststat_read(root, &h);
        assert_int_equal(h.busy, CONTEXT_ABSENT);
        assert_int_equal(h.steal, CONTEXT_ABSENT);
    }
    put("proc/stat", "cpu  1 2 3 4 5 6 7\n"); /* before Linux 2.6.11 */
    hoststat_read(root, &h);
    assert_int_equal(h.busy, 19 * TICK);
    assert_int_equal(h.steal, CONTEXT_ABSENT);
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        put("proc/loadavg", loads[i]);
        hoststat_read(root, &h);
        assert_true(h.load < 0);
    }
}

/* Where the kernel would count for long, it is not asked. */
static void test_large_machine(void **state)
{
    struct hoststat h;

    (void)state;
    put("sys/devices/system/cpu/online", "0-127\n");
    put("proc/stat", "cpu  1 2 3 4 5 6 7 8\n");
    hoststat_read(root, &h);
    assert_int_equal(h.cpus, 128);
    assert_int_equal(h.busy, CONTEXT_ABSENT);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_difference), TEST(test_missing),       TEST(test_mounted_over),
        TEST(test_malformed),  TEST(test_large_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
