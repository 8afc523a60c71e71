/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/context/pidstat.h"
#include "tests/support/hosttree.h"
#include "tests/support/scratch.h"

#define PID 4711
#define TICK (1000000000 / sysconf(_SC_CLK_TCK))

static struct world {
    char *dir;
    int root;
    struct pidstat first, second;
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

struct facts {
    uint32_t pid;
    const char *command;
    unsigned parent, flags, faults, ticks, threads, start, pages;
};

static void put_stat(const struct facts *f)
{
    char path[64], text[512];

    (void)snprintf(path, sizeof(path), "proc/%u/stat", f->pid);
    (void)snprintf(
        text, sizeof(text),
        "%u (%s) S %u 1 1 0 -1 %u 300 200 %u 8 %u %u 3 4 20 0 %u 0 %u 2000000 %u 18446\n", f->pid,
        f->command, f->parent, f->flags, f->faults, f->ticks, f->ticks, f->threads, f->start,
        f->pages);
    put(path, text);
}

static void put_thread(uint32_t tid, unsigned long long wait, unsigned voluntary,
                       unsigned involuntary)
{
    char path[96], text[256];

    (void)snprintf(path, sizeof(path), "proc/%d/task/%u/schedstat", PID, tid);
    (void)snprintf(text, sizeof(text), "5000 %llu 7\n", wait);
    put(path, text);
    (void)snprintf(path, sizeof(path), "proc/%d/task/%u/status", PID, tid);
    (void)snprintf(text, sizeof(text),
                   "Name:\tshop\nvoluntary_ctxt_switches:\t%u\nnonvoluntary_ctxt_switches:\t%u\n",
                   voluntary, involuntary);
    put(path, text);
}

static const struct facts shop = {.pid = PID,
                                  .command = "shop) S 9 (x",
                                  .parent = 1,
                                  .flags = 0x400000,
                                  .faults = 5,
                                  .ticks = 100,
                                  .threads = 2,
                                  .start = 77,
                                  .pages = 10};

static void tell(void)
{
    context_init(&w.context);
    pidstat_tell(&w.first, &w.second, &w.context);
}

static void test_difference(void **state)
{
    struct facts later = shop;

    (void)state;
    put_stat(&shop);
    put("proc/4711/status", "Name:\tshop\nCpus_allowed_list:\t0-2,5\nMems_allowed_list:\t0\n");
    put("proc/4711/fd/0", "");
    put_thread(PID, 100, 10, 1);
    put_thread(4712, 200, 20, 2);
    assert_int_equal(pidstat_read(w.root, PID, &w.first), 0);
    assert_false(w.first.foreign);
    later.faults = 9;
    later.ticks = 130;
    later.threads = 3;
    later.pages = 12;
    put_stat(&later);
    put_thread(PID, 150, 15, 1);
    put_thread(4712, 300, 29, 4);
    put_thread(4713, 1000, 100, 50); /* it began meanwhile */
    assert_int_equal(pidstat_read(w.root, PID, &w.second), 0);
    tell();
    assert_int_equal(w.context.threads, 3);
    assert_int_equal(w.context.rss, 12 * sysconf(_SC_PAGESIZE));
    assert_int_equal(w.context.cpus_allowed, 4);
    assert_true(w.context.open_fds > 0);
    assert_int_equal(w.context.cpu, 60 * TICK);
    assert_int_equal(w.context.major_faults, 4);
    assert_int_equal(w.context.run_wait, 50 + 100 + 1000);
    assert_int_equal(w.context.voluntary_switches, 5 + 9 + 100);
    assert_int_equal(w.context.involuntary_switches, 0 + 2 + 50);
    context_init(&w.context);
    pidstat_tell(NULL, &w.first, &w.context);
    assert_int_equal(w.context.threads, 2);
    assert_int_equal(w.context.cpu, CONTEXT_ABSENT);
    assert_int_equal(w.context.run_wait, CONTEXT_ABSENT);
}

/* A sum that would be of some threads only is none. */
static void test_many_threads(void **state)
{
    struct facts many = shop;

    (void)state;
    for (uint32_t i = 0; i < PIDSTAT_THREADS; i++)
        put_thread(PID + i, 1, 1, 1);
    many.threads = PIDSTAT_THREADS;
    put_stat(&many);
    assert_int_equal(pidstat_read(w.root, PID, &w.first), 0);
    assert_int_equal(pidstat_read(w.root, PID, &w.second), 0);
    tell();
    assert_int_equal(w.context.threads, PIDSTAT_THREADS);
    assert_int_equal(w.context.run_wait, 0);
    assert_int_equal(w.context.voluntary_switches, CONTEXT_ABSENT);
    put_thread(PID + PIDSTAT_THREADS, 1, 1, 1); /* more than it says */
    assert_int_equal(pidstat_read(w.root, PID, &w.second), 0);
    tell();
    assert_int_equal(w.context.run_wait, CONTEXT_ABSENT);
    many.threads = 100000;
    put_stat(&many);
    assert_int_equal(pidstat_read(w.root, PID, &w.second), 0);
    tell();
    assert_int_equal(w.context.threads, 100000);
    assert_int_equal(w.context.run_wait, CONTEXT_ABSENT);
    assert_int_equal(w.context.cpu, 0);
}

static void test_another_process(void **state)
{
    struct facts later = shop;

    (void)state;
    put_stat(&shop);
    assert_int_equal(pidstat_read(w.root, PID, &w.first), 0);
    later.start = 78;
    later.ticks = 200;
    put_stat(&later);
    assert_int_equal(pidstat_read(w.root, PID, &w.second), 0);
    tell();
    assert_int_equal(w.context.threads, 2);
    assert_int_equal(w.context.cpu, CONTEXT_ABSENT);
    assert_int_equal(w.context.major_faults, CONTEXT_ABSENT);
}

/* A sum beyond what can be counted is none. */
static void test_waits_beyond(void **state)
{
    (void)state;
    put_stat(&shop);
    put_thread(PID, 0, 1, 1);
    put_thread(4712, 0, 1, 1);
    assert_int_equal(pidstat_read(w.root, PID, &w.first), 0);
    put_thread(PID, INT64_MAX, 1, 1);
    put_thread(4712, INT64_MAX, 2, 1);
    assert_int_equal(pidstat_read(w.root, PID, &w.second), 0);
    tell();
    assert_int_equal(w.context.run_wait, CONTEXT_ABSENT);
    assert_int_equal(w.context.voluntary_switches, 1);
}

/* Old kernels have no schedstat, and some no status of a thread that has just ended. */
static void test_missing(void **state)
{
    (void)state;
    assert_int_equal(pidstat_read(w.root, PID, &w.first), -ENOENT);
    put("proc/4711", NULL);
    assert_int_equal(pidstat_read(w.root, PID, &w.first), -ENOENT);
    put_stat(&shop);
    put("proc/4711/task/4711", NULL);
    put("proc/4711/task/x", NULL);
    assert_int_equal(pidstat_read(w.root, PID, &w.first), 0);
    assert_int_equal(pidstat_read(w.root, PID, &w.second), 0);
    assert_int_equal(w.first.n, 1);
    tell();
    assert_int_equal(w.context.threads, 2);
    assert_int_equal(w.context.open_fds, CONTEXT_ABSENT);
    assert_int_equal(w.context.cpus_allowed, CONTEXT_ABSENT);
    assert_int_equal(w.context.run_wait, CONTEXT_ABSENT);
    assert_int_equal(w.context.voluntary_switches, CONTEXT_ABSENT);
}

/* An ordinary directory or file stands over the process's. */
static void test_mounted_over(void **state)
{
    (void)state;
    put_stat(&shop);
    put("proc/4711/status", "Name:\tshop\nCpus_allowed_list:\t0-2,5\nMems_allowed_list:\t0\n");
    put("proc/4711/fd/0", "");
    put_thread(PID, 100, 10, 1);
    hosttree_over = "/fd";
    assert_int_equal(pidstat_read(w.root, PID, &w.first), 0);
    assert_int_equal(w.first.open_fds, CONTEXT_ABSENT);
    assert_int_equal(w.first.n, 1);
    assert_int_equal(w.first.list[0].run_wait, 100);
    hosttree_over = "/task/4711/schedstat";
    assert_int_equal(pidstat_read(w.root, PID, &w.first), 0);
    assert_int_equal(w.first.list[0].run_wait, CONTEXT_ABSENT);
    hosttree_over = "/task";
    assert_int_equal(pidstat_read(w.root, PID, &w.first), 0);
    assert_int_equal(w.first.n, 0);
    hosttree_over = "/4711/stat";
    assert_int_equal(pidstat_read(w.root, PID, &w.first), -EXDEV);
    hosttree_over = "/4711";
    assert_int_equal(pidstat_read(w.root, PID, &w.first), -EXDEV);
}

/* What has ended has no numbers, least of all zeros. */
static void test_ended(void **state)
{
    (void)state;
    put("proc/4711/stat", "4711 (shop) Z 1 1 1 0 -1 4 0 0 0 0 5 5 0 0 20 0 1 0 77 0 0 18446\n");
    assert_int_equal(pidstat_read(w.root, PID, &w.first), -ESRCH);
}

static void test_malformed(void **state)
{
    static const char *const texts[] = {
        "",
        "4711",
        "4711 (shop",
        "4711 (shop)",
        "4711 (shop) S",
        "4711 (shop) S 1 2 3",
        "4711 (shop) S 1 1 1 0 -1 0 3 2 5 8 1 1 3 4 20 0 2 0 x 2000000 10",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put("proc/4711/stat", texts[i]);
        assert_int_equal(pidstat_read(w.root, PID, &w.first), -EINVAL);
    }
}

/* Whose numbers would be told as the service's. */
static void test_foreign(void **state)
{
    const uint32_t own = (uint32_t)getpid();
    const struct facts rows[] = {
        {.pid = own, .command = "contraced", .start = 1, .threads = 1},
        {.pid = 4712, .command = "contrace", .parent = own, .start = 1, .threads = 1},
        {.pid = 2, .command = "kthreadd", .flags = 0x208040, .start = 1, .threads = 1},
        {.pid = 1, .command = "systemd", .start = 1, .threads = 1},
        {.pid = 1, .command = "init", .start = 1, .threads = 1},
        {.pid = 900, .command = "systemd", .start = 1, .threads = 1}, /* of a user */
        {.pid = 901, .command = "docker-proxy", .start = 1, .threads = 1},
        {.pid = 901, .command = "systemd-socket-", .start = 1, .threads = 1},
    };
    const struct facts service = {.pid = 1, .command = "shop", .start = 1, .threads = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_stat(&rows[i]);
        assert_int_equal(pidstat_read(w.root, rows[i].pid, &w.first), 0);
        assert_true(w.first.foreign);
        assert_int_equal(w.first.forwards, rows[i].pid == 901);
    }
    put_stat(&(struct facts){.pid = 901, .command = "sshop", .start = 1, .threads = 1});
    assert_int_equal(pidstat_read(w.root, 901, &w.first), 0);
    assert_false(w.first.foreign || w.first.forwards);
    put_stat(&service); /* of a container */
    assert_int_equal(pidstat_read(w.root, 1, &w.first), 0);
    assert_false(w.first.foreign);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_difference),      TEST(test_many_threads), TEST(test_waits_beyond),
        TEST(test_another_process), TEST(test_missing),      TEST(test_malformed),
        TEST(test_ended),           TEST(test_foreign),      TEST(test_mounted_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
