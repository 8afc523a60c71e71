/* SPDX-License-Identifier: Apache-2.0 */

/*
 * pending/ as a queue: what is offered, what becomes of it, and every system call of a settlement
 * failing once, in each way, and being once the last one of the process.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES 9000
#define FIRST "checkout/web-1/20260314/092653-4711"
#define MANY 20000

static struct spool_stats stats_now(void)
{
    struct spool_stats stats;

    spool_stats(fx.spool, &stats);
    return stats;
}

static void start_uploading(void)
{
    fx.upload = true;
    assert_int_equal(fixture_start(), 0);
}

static void capture_many(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(capture(START + i * USEC_PER_MIN, BYTES, NULL), 0);
}

static struct spool_item *taken(void)
{
    struct spool_item *item = NULL;

    return spool_take(fx.spool, &item) > 0 ? item : NULL;
}

static void on_settled(int r, const char *key, void *userdata)
{
    on_published(r, key, userdata);
}

static int settle(struct spool_item *item, bool keep)
{
    struct told told = {0};

    spool_item_settle(item, keep, on_settled, &told);
    assert_int_equal(told.times, 0);
    fixture_settle();
    assert_int_equal(told.times, 1);
    return told.r;
}

/* --- what is offered --- */

static void test_take(void **state)
{
    struct spool_item *a, *b;
    char text[16] = "";

    (void)state;
    start_uploading();
    assert_null(taken());
    capture_many(2);
    a = taken();
    assert_non_null(a);
    assert_string_equal(spool_item_key(a), "checkout/web-1/20260314/092753-4711.trace");
    assert_int_equal(spool_item_size(a), BYTES);
    assert_int_equal(read(spool_item_fd(a), text, 7), 7);
    assert_string_equal(text, "go 1.26");
    assert_string_equal(buf_str(spool_item_record(a)), "{\"bytes\": 9000}\n");
    b = taken();
    assert_non_null(b);
    assert_string_equal(spool_item_key(b), FIRST ".trace");
    assert_null(taken());
    spool_item_return(a);
    a = taken(); /* the same again */
    assert_string_equal(spool_item_key(a), "checkout/web-1/20260314/092753-4711.trace");
    assert_true(stats_now().oldest_pending == START);

    assert_int_equal(settle(a, true), 0);
    assert_true(exists("archive/checkout/web-1/20260314/092753-4711.trace"));
    assert_true(exists("archive/checkout/web-1/20260314/092753-4711.json"));
    assert_false(exists("pending/checkout/web-1/20260314/092753-4711.json"));
    assert_int_equal(stats_now().archive_files, 1);
    assert_int_equal(stats_now().pending_files, 1);
    assert_int_equal(stats_now().archive_bytes, stats_now().pending_bytes);
    assert_int_equal(settle(b, false), 0);
    assert_false(exists("pending/checkout"));
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(usage().traces, 1);
    assert_true(stats_now().oldest_pending == 0);
    assert_null(taken());
}

static void test_put_aside(void **state)
{
    (void)state;
    start_uploading();
    capture_many(3);
    spool_item_put_aside(taken());
    spool_item_put_aside(taken());
    assert_int_equal(stats_now().aside_files, 2);
    assert_int_equal(stats_now().pending_files, 3);
    spool_item_return(taken());
    assert_int_equal(settle(taken(), true), 0);
    assert_null(taken());
    spool_offer_again(fx.spool);
    assert_int_equal(stats_now().aside_files, 0);
    spool_item_put_aside(taken());
    fixture_restart();
    assert_int_equal(stats_now().aside_files, 0);
    spool_item_put_aside(taken());
    fx.limits.max_files = 1; /* retention may have them */
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
    assert_int_equal(stats_now().pending_files, 1);
    assert_int_equal(stats_now().dropped_unsent, 1);
    assert_int_equal(stats_now().aside_files, 1);
    fx.limits.max_files = 0;
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
    assert_int_equal(stats_now().aside_files, 0);
}

/* Retention leaves alone what is being uploaded. */
static void test_taken_is_kept(void **state)
{
    struct spool_item *item;

    (void)state;
    start_uploading();
    capture_many(2);
    item = taken();
    fx.limits.max_files = 0;
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
    assert_int_equal(usage().traces, 1);
    assert_int_equal(settle(item, true), 0);
    assert_true(exists("archive/checkout/web-1/20260314/092753-4711.trace"));
}

static void count_call(void *userdata)
{
    ++*(int *)userdata;
}

static void test_pending_fn(void **state)
{
    int calls = 0;

    (void)state;
    start_uploading();
    spool_set_pending_fn(fx.spool, count_call, &calls);
    fixture_settle();
    assert_int_equal(calls, 0); /* nothing is pending */
    capture_many(1);
    fixture_settle();
    assert_int_equal(calls, 1);
    spool_item_put_aside(taken());
    spool_offer_again(fx.spool);
    spool_offer_again(fx.spool);
    assert_int_equal(calls, 1);
    fixture_settle();
    assert_int_equal(calls, 2);
    fixture_restart();
    spool_set_pending_fn(fx.spool, count_call, &calls);
    fixture_settle();
    assert_int_equal(calls, 3);
    fixture_stop();
    fx.upload = false; /* what waits goes on waiting */
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(stats_now().pending_files, 1);
}

static void test_what_is_not_ours(void **state)
{
    struct spool_item *item;

    (void)state;
    start_uploading();
    capture_many(4);
    assert_int_equal(unlink(below("pending/checkout/web-1/20260314/092953-4711.trace")), 0);
    assert_int_equal(unlink(below("pending/checkout/web-1/20260314/092853-4711.trace")), 0);
    assert_int_equal(symlink("/etc/passwd",
                             below("pending/checkout/web-1/20260314/092853-4711.trace")), 0);
    assert_int_equal(unlink(below("pending/checkout/web-1/20260314/092753-4711.trace")), 0);
    assert_int_equal(mkfifo(below("pending/checkout/web-1/20260314/092753-4711.trace"), 0600), 0);
    assert_int_equal(unlink(below("pending/" FIRST ".json")), 0);
    forget_log();
    assert_int_equal(spool_take(fx.spool, &item), -ELOOP);
    assert_int_equal(stats_now().pending_files, 3);
    assert_true(logged("1 traces that waited for their upload are no longer in"));
    assert_true(logged("for its upload: Too many levels of symbolic links"));
    assert_int_equal(spool_take(fx.spool, &item), -EPERM);
    assert_int_equal(n_log_lines, 2); /* said once */
    assert_int_equal(spool_take(fx.spool, &item), 1);
    assert_null(spool_item_record(item));
    assert_null(taken());
    assert_int_equal(settle(item, true), 0);
    assert_true(exists("archive/" FIRST ".trace"));
    boot_shift += (int64_t)(11 * USEC_PER_MIN);
    assert_int_equal(spool_take(fx.spool, &item), -ELOOP);
}

static void test_foreign_in_archive(void **state)
{
    struct spool_item *item;
    struct stat st;

    (void)state;
    start_uploading();
    capture_many(1);
    make_file("archive/" FIRST ".trace", "foreign");
    assert_int_equal(settle(taken(), true), -EEXIST);
    assert_true(logged("something else has its name in"));
    assert_null(taken());
    assert_int_equal(stats_now().aside_files, 1);
    assert_true(exists("pending/" FIRST ".trace") && exists("pending/" FIRST ".json"));
    assert_false(exists("archive/" FIRST ".json"));
    assert_int_equal(unlink(below("archive/" FIRST ".trace")), 0);
    make_file("archive/" FIRST ".json", "foreign");
    spool_offer_again(fx.spool);
    assert_int_equal(settle(taken(), true), -EEXIST);
    assert_int_equal(stat(below("archive/" FIRST ".json"), &st), 0);
    assert_int_equal(st.st_size, 7);
    assert_int_equal(unlink(below("archive/" FIRST ".json")), 0);
    spool_offer_again(fx.spool);
    item = taken(); /* removed while it was uploaded */
    assert_int_equal(unlink(below("pending/" FIRST ".trace")), 0);
    assert_int_equal(settle(item, true), -ENOENT);
    assert_int_equal(stats_now().pending_files, 0);
    check_whole(true);
}

/* --- what a start puts together again --- */

static void test_start_reunites(void **state)
{
    (void)state;
    make_file("pending/a/h/20260314/000001.trace", "trace");
    make_file("archive/a/h/20260314/000001.json", "its record");
    make_file("archive/b/h/20260314/000002.trace", "trace");
    make_file("pending/b/h/20260314/000002.json", "its record");
    make_file("archive/c/h/20260314/000003.trace", "trace");
    make_file("archive/c/h/20260314/000003.json", "its record");
    make_file("pending/c/h/20260314/000003.json", "too much");
    make_file("pending/d/h/20260314/000004.trace", "cut in two");
    make_file("pending/d/h/20260314/000004.json", "its record");
    make_dirs("archive/d/h/20260314");
    assert_int_equal(link(below("pending/d/h/20260314/000004.trace"),
                          below("archive/d/h/20260314/000004.trace")), 0);
    assert_int_equal(fixture_start(), 0);
    assert_true(exists("pending/a/h/20260314/000001.json"));
    assert_true(exists("archive/b/h/20260314/000002.json"));
    assert_true(exists("archive/d/h/20260314/000004.json"));
    assert_false(exists("archive/a"));
    assert_false(exists("pending/b"));
    assert_false(exists("pending/c"));
    assert_false(exists("pending/d"));
    assert_int_equal(stats_now().pending_files, 1);
    assert_int_equal(stats_now().archive_files, 3);
    assert_int_equal(usage().records, 4);
    assert_true(logged("2 records put back beside their traces, 1 moves to the archive finished"));
}

/* --- failures --- */

/* No hard links there: the record is renamed instead. */
static bool no_links;

/* After anything that went wrong: the trace is whole in one place. */
static void check_one(const char *stem)
{
    char pending[512], archive[512];

    (void)snprintf(pending, sizeof(pending), "pending/%s.trace", stem);
    (void)snprintf(archive, sizeof(archive), "archive/%s.trace", stem);
    assert_int_equal(exists(pending) + exists(archive), 1);
}

/* True while there was a call number `at`. */
static bool one_failure(int at, int error, bool keep)
{
    struct spool_item *item;
    int r;

    capture_many(1);
    inject(NULL, at, error);
    item = taken();
    r = item ? settle(item, keep) : -error;
    if (atomic_load(&injection.count) < at) {
        assert_int_equal(r, 0);
        return false;
    }
    inject_nothing();
    if (keep)
        check_one(FIRST);
    assert_int_equal(stats_now().pending_files + stats_now().archive_files >= usage().traces, 1);
    if (keep) {
        assert_int_equal(stats_now().archive_files, exists("archive/" FIRST ".trace"));
        check_whole(true);
    }
    assert_int_equal(capture(START + USEC_PER_MIN, BYTES, NULL), 0); /* it goes on */
    boot_shift += (int64_t)(11 * USEC_PER_MIN);
    while ((item = taken()))
        assert_int_equal(settle(item, keep), 0);
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(usage().traces, keep ? 2 : 0);
    fixture_restart();
    check_whole(true);
    assert_int_equal(usage().records, usage().traces);
    assert_int_equal(stats_now().archive_files, usage().traces);
    assert_false(exists("pending/checkout"));
    return true;
}

static void failure_sweep(bool keep)
{
    static const int errors[] = {EIO, ENOSPC, EMFILE};

    for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
        bool more = true;
        int at = 1;

        for (; more; at++) {
            void *state = NULL;

            start_uploading();
            more = one_failure(at, errors[e], keep);
            assert_int_equal(fixture_teardown(&state), 0);
            assert_int_equal(fixture_setup(&state), 0);
        }
        assert_true(at > 10);
    }
}

static void test_failures_of_keeping(void **state)
{
    (void)state;
    failure_sweep(true);
}

static void test_failures_of_deleting(void **state)
{
    (void)state;
    failure_sweep(false);
}

/* An fsync fails, and so does all that would put the trace back. */
static void test_cannot_go_back(void **state)
{
    struct spool_item *item;

    (void)state;
    start_uploading();
    capture_many(1);
    item = taken();
    injection.all = true;
    inject("fsync", 4, EIO); /* the first three make directories */
    assert_int_equal(settle(item, true), -EIO);
    inject_nothing();
    assert_true(exists("pending/" FIRST ".trace"));
    assert_true(logged("was uploaded, but cannot be moved to archive from"));
    assert_false(exists("archive/checkout"));
    assert_null(taken());
    boot_shift += (int64_t)(11 * USEC_PER_MIN);
    injection.all = true;
    inject("renameat2", 1, EROFS);
    assert_int_equal(settle(taken(), true), -EROFS);
    assert_int_equal(stats_now().pending_files, 1);
    inject_nothing();
    check_whole(true);
}

static void test_without_links(void **state)
{
    (void)state;
    start_uploading();
    capture_many(2);
    inject("linkat", 1, EPERM);
    assert_int_equal(settle(taken(), true), 0);
    inject("linkat", 1, EOPNOTSUPP);
    assert_int_equal(settle(taken(), true), 0);
    inject_nothing();
    assert_int_equal(stats_now().archive_files, 2);
    assert_int_equal(usage().records, 2);
    assert_false(exists("pending/checkout"));
    check_whole(true);
}

/* In a child that dies at call `at`: two traces are settled, each told on the pipe once it is. */
static void child_settles(int at, bool after, bool keep, int out)
{
    if (sd_event_new(&fx.event) < 0 || disk_new(fx.event, &fx.disk) < 0)
        _exit(1);
    if (fixture_start() < 0)
        _exit(1);
    fail_links = no_links;
    injection.after = after;
    inject(NULL, at, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct spool_item *item = taken();
        char key[NAME_KEY_MAX];

        if (!item)
            _exit(1);
        (void)snprintf(key, sizeof(key), "%s", spool_item_key(item));
        if (settle(item, keep) < 0)
            _exit(1);
        if (dprintf(out, "%s\n", key) < 0)
            _exit(1);
    }
    _exit(0);
}

static void check_told(char *keys, bool keep)
{
    char *line;

    while ((line = strsep(&keys, "\n")) && *line) {
        char path[512];

        (void)snprintf(path, sizeof(path), "archive/%s", line);
        assert_int_equal(exists(path), keep);
        (void)snprintf(path, sizeof(path), "pending/%s", line);
        assert_false(exists(path));
    }
}

/* True while the child was killed. */
static bool one_kill(int at, bool after, bool keep)
{
    char keys[1024] = "";
    struct spool_item *item;
    int out[2], status;
    ssize_t got;
    size_t n = 0;
    pid_t child;

    start_uploading();
    capture_many(1);
    assert_int_equal(capture(START + USEC_PER_DAY, BYTES, NULL), 0);
    fixture_stop();
    assert_int_equal(pipe(out), 0);
    child = fixture_fork();
    if (child == 0)
        child_settles(at, after, keep, out[1]);
    close(out[1]);
    while ((got = read(out[0], keys + n, sizeof(keys) - 1 - n)) > 0)
        n += (size_t)got;
    close(out[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));

    assert_int_equal(fixture_start(), 0);
    check_whole(true);
    assert_int_equal(usage().traces, stats_now().archive_files + stats_now().pending_files);
    assert_int_equal(usage().records, usage().traces);
    if (keep) {
        check_one(FIRST);
        check_one("checkout/web-1/20260315/092653-4711");
    }
    check_told(keys, keep);
    while ((item = taken()))
        assert_int_equal(settle(item, keep), 0);
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(usage().traces, keep ? 2 : 0);
    assert_int_equal(usage().records, usage().traces);
    assert_false(exists("pending/checkout"));
    check_whole(true);
    return WIFSIGNALED(status);
}

static void kill_sweep(bool keep)
{
    for (int after = 0; after <= 1; after++) {
        bool more = true;
        int at = 1;

        for (; more; at++) {
            void *state = NULL;

            more = one_kill(at, after, keep);
            assert_int_equal(fixture_teardown(&state), 0);
            assert_int_equal(fixture_setup(&state), 0);
        }
        print_message("killed %s %d calls\n", after ? "after" : "before", at - 2);
        assert_true(at > 20);
    }
}

static void test_killed_while_keeping(void **state)
{
    (void)state;
    kill_sweep(true);
}

static void test_killed_while_deleting(void **state)
{
    (void)state;
    kill_sweep(false);
}

static void test_killed_without_links(void **state)
{
    (void)state;
    no_links = true;
    kill_sweep(true);
    no_links = false;
}

/* --- many --- */

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_many(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char path[256];

        (void)snprintf(path, sizeof(path), "pending/s/h/202603%02u/%02u%02u%02u-7.trace",
                       1 + i / 5000, i / 3600 % 24, i / 60 % 60, i % 60);
        make_file(path, "trace");
        (void)snprintf(path + strlen(path) - 6, 8, ".json");
        make_file(path, "{\"bytes\": 5}\n");
    }
}

/* A backlog is taken and settled in a time that grows with it, not with its square. */
static void test_many(void **state)
{
    struct spool_item *items[8];
    double begin;

    (void)state;
    make_many(MANY);
    start_uploading();
    assert_int_equal(stats_now().pending_files, MANY);
    begin = seconds();
    for (unsigned n = 0; n < MANY; n += 8) {
        for (unsigned i = 0; i < 8; i++) {
            items[i] = taken();
            assert_non_null(items[i]);
        }
        for (unsigned i = 0; i < 8; i++)
            spool_item_settle(items[i], n % 16 == 0, NULL, NULL);
        if (n % 64 == 56)
            fixture_settle();
    }
    fixture_settle();
    print_message("%d traces taken and settled in %.2f s\n", MANY, seconds() - begin);
    assert_null(taken());
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(stats_now().archive_files, MANY / 2);
    assert_int_equal(usage().traces, MANY / 2);
    assert_false(exists("pending/s"));
    check_whole(true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_take),
        TEST(test_put_aside),
        TEST(test_taken_is_kept),
        TEST(test_pending_fn),
        TEST(test_what_is_not_ours),
        TEST(test_foreign_in_archive),
        TEST(test_start_reunites),
        TEST(test_failures_of_keeping),
        TEST(test_failures_of_deleting),
        TEST(test_cannot_go_back),
        TEST(test_without_links),
        TEST(test_killed_while_keeping),
        TEST(test_killed_while_deleting),
        TEST(test_killed_without_links),
        TEST(test_many),
    };

    return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
