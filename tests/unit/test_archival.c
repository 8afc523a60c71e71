/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every system call between an uploaded trace in pending/ and its place in archive/ fails once, in
 * each way, and is once the last one of the process; and what a start makes of it.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES 9000
#define FIRST "checkout/web-1/20260314/092653-4711"

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
                          below("archive/d/h/20260314/000004.trace")),
                     0);
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
    assert_false(logged("have no record")); /* and none is counted without it */
    assert_true(logged("2 records put back beside their traces, 1 moves to the archive finished"));
}

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
static bool one_failure(int at, int error, bool keep, bool all)
{
    struct spool_item *item;
    int r;

    capture_many(1, BYTES);
    injection.all = all;
    inject(NULL, at, error);
    item = taken();
    r = item ? archive(item, keep) : -error;
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
        /* Without links a record that cannot come back is where its trace will follow. */
        check_whole(!(no_links && all));
    }
    assert_int_equal(capture(START + USEC_PER_MIN, BYTES, NULL), 0); /* it goes on */
    boot_shift += (int64_t)(11 * USEC_PER_MIN);
    while ((item = taken()))
        assert_int_equal(archive(item, keep), 0);
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(usage().traces, keep ? 2 : 0);
    fixture_restart();
    check_whole(true);
    assert_int_equal(usage().records, usage().traces);
    assert_int_equal(stats_now().archive_files, usage().traces);
    assert_false(exists("pending/checkout"));
    return true;
}

/* The last error is for ever: nothing works any more. */
static void failure_sweep(bool keep)
{
    static const int errors[] = {EIO, ENOSPC, EMFILE, EROFS};

    for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
        bool more = true;
        int at = 1;

        for (; more; at++) {
            void *state = NULL;

            start_uploading();
            fail_links = no_links;
            more = one_failure(at, errors[e], keep, errors[e] == EROFS);
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

static void test_failures_without_links(void **state)
{
    (void)state;
    no_links = true;
    failure_sweep(true);
    no_links = false;
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
    capture_many(1, BYTES);
    item = taken();
    injection.all = true;
    inject("fsync", 4, EIO); /* the first three make directories */
    assert_int_equal(archive(item, true), -EIO);
    inject_nothing();
    assert_true(exists("pending/" FIRST ".trace"));
    assert_true(logged("was uploaded, but cannot be moved to archive from"));
    assert_false(exists("archive/checkout"));
    assert_null(taken());
    boot_shift += (int64_t)(11 * USEC_PER_MIN);
    injection.all = true;
    inject("renameat2", 1, EROFS);
    assert_int_equal(archive(taken(), true), -EROFS);
    assert_int_equal(stats_now().pending_files, 1);
    inject_nothing();
    check_whole(true);
}

static void test_without_links(void **state)
{
    (void)state;
    start_uploading();
    capture_many(2, BYTES);
    inject("linkat", 1, EPERM);
    assert_int_equal(archive(taken(), true), 0);
    inject("linkat", 1, EOPNOTSUPP);
    assert_int_equal(archive(taken(), true), 0);
    inject_nothing();
    assert_int_equal(stats_now().archive_files, 2);
    assert_int_equal(usage().records, 2);
    assert_false(exists("pending/checkout"));
    check_whole(true);
}

/* In a child that dies at call `at`: two traces are archived, each told on the pipe once it is. */
static void child_archives(int at, bool after, bool keep, int out)
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
        if (archive(item, keep) < 0)
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
    capture_many(1, BYTES);
    assert_int_equal(capture(START + USEC_PER_DAY, BYTES, NULL), 0);
    fixture_stop();
    assert_int_equal(pipe(out), 0);
    child = fixture_fork();
    if (child == 0)
        child_archives(at, after, keep, out[1]);
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
        assert_int_equal(archive(item, keep), 0);
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_start_reunites),         TEST(test_failures_of_keeping),
        TEST(test_failures_without_links), TEST(test_failures_of_deleting),
        TEST(test_cannot_go_back),         TEST(test_without_links),
        TEST(test_killed_while_keeping),   TEST(test_killed_while_deleting),
        TEST(test_killed_without_links),
    };

    return cmocka_run_group_tests_name("archival", tests, NULL, NULL);
}
