/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A spool's start and end, and how files become traces.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/spool/spool_state.h"

#define NOBODY 65534

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(lstat(below(path), &st), 0);
    return st.st_mode & 07777;
}

static void test_publish_and_restart(void **state)
{
    struct spool_stats stats;
    struct told told;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(capture(START, 10000, &told), 0);
    assert_string_equal(told.key, "checkout/web-1/20260314/092653-4711.trace");
    assert_true(exists("archive/checkout/web-1/20260314/092653-4711.trace"));
    assert_true(exists("archive/checkout/web-1/20260314/092653-4711.json"));
    assert_int_equal(mode_of("archive/checkout/web-1/20260314"), 0750);
    assert_int_equal(mode_of("archive/checkout/web-1/20260314/092653-4711.trace"), 0640);
    check_whole(true);
    for (int i = 0; i < 2; i++) {
        spool_stats(fx.spool, &stats);
        assert_int_equal(stats.archive_files, 1);
        assert_int_equal(stats.archive_bytes, 3 * 4096 + 4096);
        assert_int_equal(stats.pending_files, 0);
        assert_int_equal(stats.reserved_bytes, 0);
        assert_true(stats.oldest == START && stats.newest == START);
        assert_false(spool_busy(fx.spool));
        fixture_restart();
    }
    assert_true(logged("1 traces kept, 16.0KiB") || logged("1 traces kept"));
}

static void test_pending_when_uploading(void **state)
{
    struct spool_stats stats;

    (void)state;
    fx.upload = true;
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(capture(START, 1, NULL), 0);
    assert_true(exists("pending/checkout/web-1/20260314/092653-4711.trace"));
    fixture_restart();
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.pending_files, 1);
    assert_int_equal(stats.archive_files, 0);
}

static void test_same_key(void **state)
{
    struct told told[4] = {{0}};
    struct spool_file *a, *b;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    /* Two in flight at once, one after them, and one whose place is taken by what we did not
     * make. */
    a = written_file(100);
    b = written_file(200);
    publish(a, START, 100, &told[0]);
    publish(b, START + 999999, 200, &told[1]);
    fixture_settle();
    assert_int_equal(capture(START, 300, &told[2]), 0);
    assert_string_equal(told[0].key, "checkout/web-1/20260314/092653-4711.trace");
    assert_string_equal(told[1].key, "checkout/web-1/20260314/092653-4711-1.trace");
    assert_string_equal(told[2].key, "checkout/web-1/20260314/092653-4711-2.trace");
    make_dirs("archive/checkout/web-1/20260314/092653-4711-3.trace");
    make_file("archive/checkout/web-1/20260314/092653-4711-4.json", "foreign");
    assert_int_equal(capture(START, 400, &told[3]), 0);
    assert_string_equal(told[3].key, "checkout/web-1/20260314/092653-4711-5.trace");
    check_whole(true);
    assert_false(exists("archive/checkout/web-1/20260314/092653-4711-3.json"));
    assert_int_equal(usage().incoming, 0);
}

/* However many a service's captures begin in one second. */
static void test_many_of_one_second(void **state)
{
    struct told told = {0};
    char path[128];

    (void)state;
    make_file("archive/checkout/web-1/20260314/092653-4711.trace", "trace");
    make_file("archive/checkout/web-1/20260314/092653-4711.json", "{}");
    for (int i = 1; i < 1100; i++) {
        (void)snprintf(path, sizeof(path), "archive/checkout/web-1/20260314/092653-4711-%d.trace",
                       i);
        make_file(path, "trace");
        (void)strcpy(strrchr(path, '.'), ".json");
        make_file(path, "{}");
    }
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(capture(START, 1, &told), 0);
    assert_string_equal(told.key, "checkout/web-1/20260314/092653-4711-1100.trace");
}

/* It is given up in the end, and nothing of it stays. */
static void test_all_names_are_taken(void **state)
{
    (void)state;
    assert_int_equal(fixture_start(), 0);
    injection.all = true;
    inject("renameat2", 1, EEXIST);
    assert_int_equal(capture(START, 100, NULL), -EEXIST);
    inject_nothing();
    fixture_settle();
    assert_int_equal(usage().incoming, 0);
    assert_int_equal(stats_now().reserved_bytes, 0);
    assert_int_equal(capture(START, 100, NULL), 0);
}

static void test_cut_and_discard(void **state)
{
    struct told told = {0};
    struct spool_file *f;
    struct stat st;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    publish(written_file(9000), START, 5000, &told);
    fixture_settle();
    assert_int_equal(told.r, 0);
    assert_int_equal(stat(below("archive/checkout/web-1/20260314/092653-4711.trace"), &st), 0);
    assert_int_equal(st.st_size, 5000);

    f = written_file(5000);
    assert_int_equal(usage().incoming, 1);
    spool_file_discard(f);
    spool_file_discard(NULL);
    fixture_settle();
    assert_int_equal(usage().incoming, 0);

    publish(written_file(10), START, 5000, &told); /* less than was promised */
    fixture_settle();
    assert_int_equal(told.r, -EIO);
    assert_int_equal(usage().incoming, 0);
    assert_int_equal(usage().traces, 1);
}

static void test_start_sweeps(void **state)
{
    struct spool_stats stats;

    (void)state;
    make_file("incoming/tmp-00000001.out", "half");
    make_file("incoming/tmp-00000001-record.out", "half");
    make_file("incoming/notes", "a person's");
    make_file("archive/a/h/20260314/000001.trace", "trace");
    make_file("archive/a/h/20260314/000001.json", "{}");
    make_file("archive/a/h/20260314/000002.json", "orphan");
    make_file("archive/a/h/20260314/000003.trace", "no record");
    make_dirs("archive/a/h/20260314/000004.trace");
    make_file("archive/a/h/20260314/000004.json", "beside a directory");
    assert_int_equal(symlink("000001.trace", below("archive/a/h/20260314/000005.trace")), 0);
    make_file("archive/a/h/20260231/000001.trace", "no such day");
    make_file("archive/a/h/20260314/README", "a person's");
    make_file("archive/b/h/20260313/000001.json", "orphan, alone");
    make_dirs("archive/c/h/20260312");
    assert_int_equal(symlink("a", below("archive/link")), 0);
    make_file("pending/a/h/20260314/000001.trace", "twice");
    make_file("pending/a/h/20260314/000001.json", "{}");

    assert_int_equal(fixture_start(), 0);
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.archive_files, 2);
    assert_int_equal(stats.archive_bytes, 3 * 4096);
    assert_int_equal(stats.pending_files, 1);
    assert_false(exists("incoming/tmp-00000001.out"));
    assert_false(exists("incoming/tmp-00000001-record.out"));
    assert_true(exists("incoming/notes"));
    assert_false(exists("archive/a/h/20260314/000002.json"));
    assert_true(exists("archive/a/h/20260314/000003.trace"));
    assert_true(exists("archive/a/h/20260314/000004.json"));
    assert_true(exists("archive/a/h/20260314/000005.trace"));
    assert_true(exists("archive/a/h/20260231/000001.trace"));
    assert_false(exists("archive/b"));
    assert_false(exists("archive/c"));
    assert_true(exists("archive/link"));
    assert_true(logged("3 traces kept"));
    assert_true(logged("2 unfinished files and 2 records without a trace swept"));
    assert_true(logged("1 traces have no record"));
    assert_true(logged("1 traces stand in both"));
    assert_true(logged("6 things that contraced did not make"));
    assert_int_equal(n_log_lines, 4);
}

/* A move to the archive was cut off after its first link: the record comes along, and counts. */
static void test_start_finishes_a_move(void **state)
{
    struct spool_stats stats;
    char from[600];

    (void)state;
    make_file("pending/a/h/20260314/000001.trace", "trace");
    make_file("pending/a/h/20260314/000001.json", "{}");
    make_dirs("archive/a/h/20260314");
    (void)snprintf(from, sizeof(from), "%s", below("pending/a/h/20260314/000001.trace"));
    assert_int_equal(link(from, below("archive/a/h/20260314/000001.trace")), 0);

    assert_int_equal(fixture_start(), 0);
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.pending_files, 0);
    assert_int_equal(stats.archive_files, 1);
    assert_int_equal(stats.archive_bytes, 2 * 4096);
    assert_true(exists("archive/a/h/20260314/000001.json"));
    assert_true(logged("1 moves to the archive finished"));
    assert_false(logged("have no record"));
}

static void test_refused_places(void **state)
{
    (void)state;
    assert_int_equal(mkdir(fx.path, 0750), 0);
    make_file("incoming", "not a directory");
    assert_int_equal(fixture_start(), -ENOTDIR);
    assert_true(logged("/spool/incoming for traces: Not a directory"));
    assert_int_equal(unlink(below("incoming")), 0);
    assert_int_equal(symlink("/tmp", below("incoming")), 0);
    assert_int_equal(fixture_start(), -ENOTDIR);
    assert_true(logged("/spool/incoming for traces: it is a symbolic link"));
    assert_int_equal(unlink(below("incoming")), 0);

    assert_int_equal(unlink(below("lock")), 0);
    assert_int_equal(symlink("/etc/passwd", below("lock")), 0);
    assert_int_equal(fixture_start(), -ELOOP);
    assert_true(logged("/lock: it is a symbolic link"));
    assert_int_equal(unlink(below("lock")), 0);
    assert_int_equal(fixture_start(), 0);
    fixture_stop();

    (void)snprintf(fx.path, sizeof(fx.path), "%s/link/", fx.base);
    {
        char link[600];

        (void)snprintf(link, sizeof(link), "%s/link", fx.base);
        assert_int_equal(symlink("spool", link), 0);
    }
    assert_int_equal(fixture_start(), -ENOTDIR);
    assert_true(logged("/link for traces: it is a symbolic link"));
    (void)snprintf(fx.path, sizeof(fx.path), "%s/no/parent", fx.base);
    assert_int_equal(fixture_start(), -ENOENT);
    assert_true(logged("its parent directory does not exist"));
}

/* What the kubelet does to a volume of a pod with fsGroup, each time it is mounted. */
static void test_made_writable_for_a_group(void **state)
{
    static const char *const directories[] = {
        "", "incoming", "archive", "archive/checkout", "archive/checkout/web-1/20260314",
    };
    static const char *const files[] = {
        "archive/checkout/web-1/20260314/092653-4711.trace",
        "archive/checkout/web-1/20260314/092653-4711.json",
    };

    (void)state;
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(capture(START, 100, NULL), 0);
    fixture_stop();
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        assert_int_equal(chmod(below(directories[i]), 02770), 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_int_equal(chmod(below(files[i]), 0660), 0);
    assert_int_equal(chmod(below("lock"), 0660), 0);

    assert_int_equal(fixture_start(), 0);
    assert_int_equal(stats_now().archive_files, 1);
    assert_true(logged("/archive could be written by others (mode 2770); it is 2750 now"));
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        assert_int_equal(mode_of(directories[i]), 02750);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_int_equal(mode_of(files[i]), 0640);
    assert_int_equal(mode_of("lock"), 0640);
    assert_int_equal(capture(START + USEC_PER_MIN, 100, NULL), 0);
}

static void remove_all(const char *what)
{
    _cleanup_free_ char *command = NULL;

    assert_true(asprintf(&command, "rm -rf '%s'", below(what)) > 0);
    assert_int_equal(system(command), 0);
}

/* By a cleaning job, say; what is captured afterwards is kept as ever. */
static void test_removed_underneath(void **state)
{
    static const char *const removed[] = {"incoming", "archive", "pending", ""};
    struct told told;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(capture(START, 100, NULL), 0);
    for (unsigned i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
        remove_all(removed[i]);
        forget_log();
        assert_int_equal(capture(START + (i + 1) * USEC_PER_MIN, 100, &told), 0);
        assert_true(logged("was removed or moved away while contraced ran, and is made anew"));
        assert_int_equal(mode_of("incoming"), 0750);
        assert_int_equal(mode_of("archive"), 0750);
    }
    assert_true(exists("lock"));
    assert_int_equal(usage().traces, 1);
    check_whole(true);
    fixture_restart();
    assert_int_equal(stats_now().archive_files, 1);
}

/* One bad moment costs captures no more than a short while, and a long one is said once. */
static void test_not_made_anew_at_first(void **state)
{
    (void)state;
    assert_int_equal(fixture_start(), 0);
    remove_all("incoming");
    forget_log();
    injection.all = true;
    inject("mkdirat", 1, EIO);
    for (unsigned i = 0; i < 10; i++) {
        struct spool_file *f;
        struct told told = {0};

        assert_int_equal(spool_file_new(fx.spool, 100, on_room, &told, &f), -ENOENT);
        boot_shift += (int64_t)(CORE_REST_FIRST + USEC_PER_MSEC);
    }
    assert_int_equal(n_log_lines, 2);
    assert_true(logged("/incoming for traces: Input/output error"));
    assert_true(logged("put it back, or restart contraced"));
    inject_nothing();
    assert_int_equal(capture(START, 100, NULL), 0);
}

static void test_moved_and_put_back(void **state)
{
    char aside[700];

    (void)state;
    assert_int_equal(fixture_start(), 0);
    (void)snprintf(aside, sizeof(aside), "%s.aside", fx.path);
    assert_int_equal(rename(fx.path, aside), 0);
    assert_int_equal(symlink("/nowhere", fx.path), 0);
    (void)capture(START, 100, NULL);
    assert_true(logged("/spool for traces: it is a symbolic link"));
    assert_true(logged("put it back, or restart contraced"));
    assert_int_equal(unlink(fx.path), 0);
    assert_int_equal(rename(aside, fx.path), 0);
    forget_log();
    assert_int_equal(capture(START + USEC_PER_MIN, 100, NULL), 0);
    assert_int_equal(n_log_lines, 0);
    assert_int_equal(usage().traces, 2);
}

static void test_read_only(void **state)
{
    (void)state;
    inject("mkdirat", 1, EROFS);
    assert_int_equal(fixture_start(), -EROFS);
    assert_true(logged("the file system is read-only"));
}

/* systemd's StateDirectory= of a DynamicUser= is a link of root's to a directory of the user's. */
static void test_other_users(void **state)
{
    char link[600];
    pid_t child;
    int status;

    (void)state;
    if (geteuid() != 0) {
        print_message("not root: foreign owners are not tried\n");
        return;
    }
    assert_int_equal(mkdir(fx.path, 0750), 0);
    assert_int_equal(chown(fx.path, NOBODY, NOBODY), 0);
    assert_int_equal(fixture_start(), -EPERM);
    assert_true(logged("belongs to user 65534, not to us (0)"));

    assert_int_equal(chmod(fx.base, 0755), 0);
    (void)snprintf(link, sizeof(link), "%s/link", fx.base);
    assert_int_equal(symlink("spool", link), 0);
    child = fixture_fork();
    if (child == 0) {
        sd_event *event;
        struct spool *s;
        struct disk *d;
        int r;

        if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0 || sd_event_new(&event) < 0 ||
            disk_new(event, &d) < 0)
            _exit(99);
        r = spool_new(event, d, link, &fx.limits, false, &s);
        _exit(r < 0 ? -r : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);

    assert_int_equal(chown(fx.path, 0, 0), 0);
    assert_int_equal(chown(below("incoming"), 0, 0), 0);
    assert_int_equal(chown(below("pending"), 0, 0), 0);
    assert_int_equal(chown(below("archive"), 0, 0), 0);
    assert_int_equal(chown(below("lock"), 0, 0), 0);
    make_file("archive/a/h/20260314/000001.trace", "foreign");
    assert_int_equal(chown(below("archive/a/h/20260314/000001.trace"), NOBODY, NOBODY), 0);
    make_file("archive/b/h/20260314/000001.trace", "in a foreign directory");
    assert_int_equal(chown(below("archive/b"), NOBODY, NOBODY), 0);
    forget_log();
    assert_int_equal(fixture_start(), 0);
    assert_true(logged("0 traces kept"));
    assert_true(logged("2 things that contraced did not make"));
    assert_true(exists("archive/a/h/20260314/000001.trace"));
}

static void test_lock(void **state)
{
    char expected[128], byte;
    int ready[2], status;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    child = fixture_fork();
    if (child == 0) {
        struct spool *s;
        sd_event *event;
        struct disk *d;

        (void)close(ready[0]);
        if (sd_event_new(&event) < 0 || disk_new(event, &d) < 0 ||
            spool_new(event, d, fx.path, &fx.limits, false, &s) < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(close(ready[1]), 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(fixture_start(), -EBUSY);
    (void)snprintf(expected, sizeof(expected), "is in use by process %d (test_spool)", (int)child);
    assert_true(logged(expected) || logged("is in use by process"));
    assert_true(logged("; stop it or use another storage.path"));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(fixture_start(), 0); /* gone with its holder */
    (void)close(ready[0]);
}

/* A publication outlives spool_free, without a word to anyone. */
static void test_free_in_flight(void **state)
{
    struct told told = {0};

    (void)state;
    assert_int_equal(fixture_start(), 0);
    publish(written_file(5000), START, 5000, &told);
    spool_file_discard(written_file(100));
    spool_free(fx.spool);
    fx.spool = NULL;
    disk_free(fx.disk);
    assert_int_equal(told.times, 0);
    check_whole(true);
    assert_int_equal(usage().traces, 1);
    assert_int_equal(usage().incoming, 0);
    assert_int_equal(disk_new(fx.event, &fx.disk), 0);
}

/* The same, as a loop of a thousand: nothing may be left of any. */
static void test_many(void **state)
{
    struct spool_stats stats;

    (void)state;
    fx.limits.max_files = 50;
    assert_int_equal(fixture_start(), 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(capture(START + i / 3 * USEC_PER_MIN, 100, NULL), 0);
    fixture_settle();
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.archive_files, 50);
    assert_int_equal(stats.deleted[RETENTION_FILES], 950);
    assert_int_equal(usage().traces, 50);
    assert_int_equal(usage().records, 50);
    assert_true(stats.newest == START + 333 * USEC_PER_MIN);
    assert_true(stats.oldest == START + 316 * USEC_PER_MIN);
    fixture_restart();
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.archive_files, 50);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_publish_and_restart),
        TEST(test_pending_when_uploading),
        TEST(test_same_key),
        TEST(test_many_of_one_second),
        TEST(test_all_names_are_taken),
        TEST(test_cut_and_discard),
        TEST(test_start_sweeps),
        TEST(test_start_finishes_a_move),
        TEST(test_refused_places),
        TEST(test_made_writable_for_a_group),
        TEST(test_removed_underneath),
        TEST(test_not_made_anew_at_first),
        TEST(test_moved_and_put_back),
        TEST(test_read_only),
        TEST(test_other_users),
        TEST(test_lock),
        TEST(test_free_in_flight),
        TEST(test_many),
    };

    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
