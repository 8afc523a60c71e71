/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every system call between an open file and a durable trace fails once, in each way, and is once
 * the last one of the process.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/spool/spool_state.h"

#define BYTES 9000

/* Room of files that the disk has still to give. */
static uint64_t unwritten(void)
{
    uint64_t ret = 0;

    for (const struct reservation *r = fx.spool->reserved.all; r; r = r->next)
        ret += reserved_unwritten(r);
    return ret;
}

/* One capture with call number `at` failing. True while there was such a call. */
static bool one_failure(int at, int error, bool all)
{
    struct spool_stats stats;
    struct usage u;
    int r;

    injection.all = all;
    inject(NULL, at, error);
    r = capture(START, BYTES, NULL);
    fixture_settle();
    if (atomic_load(&injection.count) < at) {
        assert_int_equal(r, 0);
        return false;
    }
    inject_nothing();
    u = usage();
    spool_stats(fx.spool, &stats);
    /* What failed is gone, unless the file could not even be unlinked; then it still counts. */
    assert_int_equal(stats.archive_files, u.traces);
    assert_true(u.incoming == 0 || stats.reserved_bytes > 0);
    assert_int_equal(unwritten(), 0);
    if (!all) {
        assert_int_equal(stats.archive_files, r == 0);
        assert_true(u.incoming <= 1);
    }
    /* It recovers by itself, and a start clears what is left. */
    assert_int_equal(capture(START + USEC_PER_MIN, BYTES, NULL), 0);
    fixture_restart();
    assert_int_equal(usage().incoming, 0);
    check_whole(true);
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.archive_files, usage().traces);
    assert_int_equal(usage().records, usage().traces);
    return true;
}

static void sweep(int error, bool all)
{
    int at = 1;
    bool more = true;

    for (; more; at++) {
        void *state = NULL;

        assert_int_equal(fixture_start(), 0);
        more = one_failure(at, error, all);
        assert_int_equal(fixture_teardown(&state), 0);
        assert_int_equal(fixture_setup(&state), 0);
    }
    assert_true(at > 15);
}

static void test_eio(void **state)
{
    (void)state;
    sweep(EIO, false);
}

static void test_enospc(void **state)
{
    (void)state;
    sweep(ENOSPC, false);
}

static void test_emfile(void **state)
{
    (void)state;
    sweep(EMFILE, false);
}

static void test_nothing_works_any_more(void **state)
{
    (void)state;
    sweep(EROFS, true);
}

/* A second fsync after a failed one would prove nothing. */
static void test_no_second_fsync(void **state)
{
    (void)state;
    assert_int_equal(fixture_start(), 0);
    inject("fsync", 1, EIO);
    assert_int_equal(capture(START, BYTES, NULL), -EIO);
    fixture_settle();
    assert_int_equal(atomic_load(&injection.count), 1);
    inject_nothing();
    assert_int_equal(usage().traces + usage().incoming + usage().records, 0);
    assert_false(exists("archive/checkout"));
}

/* Room that was asked for ahead and not needed is given back. */
static void test_reserved_blocks(void **state)
{
    struct spool_file *f;
    struct told told = {0};
    struct stat st;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    f = written_file(BYTES);
    assert_non_null(f);
    assert_int_equal(fallocate(spool_file_fd(f), FALLOC_FL_KEEP_SIZE, 0, 9 << 20), 0);
    publish(f, START, BYTES, &told);
    while (told.times == 0)
        assert_true(sd_event_run(fx.event, 5 * USEC_PER_SEC) >= 0);
    assert_int_equal(told.r, 0);
    assert_int_equal(stat(below("archive/checkout/web-1/20260314/092653-4711.trace"), &st), 0);
    assert_int_equal(st.st_size, BYTES);
    assert_true((uint64_t)st.st_blocks * 512 < 64 << 10);
}

/* Some file systems know no RENAME_NOREPLACE. */
static void test_plain_rename(void **state)
{
    struct told told;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    make_file("archive/checkout/web-1/20260314/092653-4711.trace", "foreign");
    injection.all = true;
    inject("renameat2", 1, EINVAL);
    assert_int_equal(capture(START, BYTES, &told), 0);
    assert_string_equal(told.key, "checkout/web-1/20260314/092653-4711-1.trace");
    assert_false(exists("archive/checkout/web-1/20260314/092653-4711.json"));
}

/* Retention took the empty day away between its making and the rename into it. */
static void test_day_removed(void **state)
{
    (void)state;
    assert_int_equal(fixture_start(), 0);
    inject("renameat2", 1, ENOENT);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    injection.all = true; /* for ever is another matter */
    inject("renameat2", 1, ENOENT);
    assert_int_equal(capture(START + USEC_PER_MIN, BYTES, NULL), -ENOENT);
    fixture_settle();
    assert_int_equal(usage().incoming, 0);
}

static void wake_spool(void)
{
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
}

/* What could not be unlinked is tried again, and its room is taken until then. */
static void test_stuck(void **state)
{
    struct spool_stats stats;
    struct spool_file *f;
    uint64_t due, now;
    int calls;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    f = written_file(BYTES);
    inject("unlinkat", 1, EIO);
    spool_file_discard(f);
    fixture_settle();
    inject_nothing();
    assert_true(logged("its room stays taken; this and others like it will be tried again in 5s"));
    spool_stats(fx.spool, &stats);
    assert_true(stats.reserved_bytes > BYTES);
    assert_true(sd_event_source_get_time(fx.spool->expiry.timer, &due) >= 0);
    assert_true(sd_event_now(fx.event, CLOCK_BOOTTIME, &now) >= 0);
    assert_true(due <= now + CORE_REST_FIRST); /* also when nobody asks for a capture */
    boot_shift += (int64_t)(CORE_REST_FIRST + USEC_PER_MSEC);
    wake_spool();
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.reserved_bytes, 0);
    assert_int_equal(usage().incoming, 0);

    forget_log();
    f = written_file(BYTES);
    injection.all = true;
    inject("unlinkat", 1, EIO);
    spool_file_discard(f);
    fixture_settle();
    for (unsigned i = 0; i < 120; i++) {
        boot_shift += (int64_t)(CORE_REST_FIRST + USEC_PER_MSEC);
        wake_spool();
    }
    calls = atomic_load(&injection.count);
    assert_true(calls < 12); /* less and less often, and said once */
    assert_int_equal(times_logged("its room stays taken"), 1);
    inject_nothing();
    assert_int_equal(capture(START, 1, NULL), 0); /* but for a capture */
    fixture_settle();
    assert_int_equal(usage().incoming, 0);
}

/* In a child that dies at call `at`: two traces, each told on the pipe once it is published. */
static void child_captures(int at, bool after, int out)
{
    if (sd_event_new(&fx.event) < 0 || disk_new(fx.event, &fx.disk) < 0)
        _exit(1);
    injection.after = after;
    inject(NULL, at, 0);
    if (fixture_start() < 0)
        _exit(1);
    for (unsigned i = 0; i < 2; i++) {
        struct told told;

        if (capture(START + i * USEC_PER_DAY, BYTES, &told) < 0)
            _exit(1);
        if (dprintf(out, "%s\n", told.key) < 0)
            _exit(1);
    }
    _exit(0);
}

/* True while the child was killed. */
static bool one_kill(int at, bool after)
{
    char keys[1024] = "", *line, *rest = keys;
    struct spool_stats stats;
    int out[2], status;
    size_t n = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(out), 0);
    child = fixture_fork();
    if (child == 0)
        child_captures(at, after, out[1]);
    close(out[1]);
    while ((got = read(out[0], keys + n, sizeof(keys) - 1 - n)) > 0)
        n += (size_t)got;
    close(out[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));

    assert_int_equal(fixture_start(), 0);
    check_whole(true);
    spool_stats(fx.spool, &stats);
    assert_int_equal(usage().incoming, 0);
    assert_int_equal(usage().traces, stats.archive_files);
    assert_int_equal(usage().records, stats.archive_files);
    while ((line = strsep(&rest, "\n")) && *line) {
        char path[512];

        (void)snprintf(path, sizeof(path), "archive/%s", line);
        assert_true(exists(path));
    }
    return WIFSIGNALED(status);
}

static void kill_sweep(bool after)
{
    bool more = true;
    int at = 1;

    for (; more; at++) {
        void *state = NULL;

        more = one_kill(at, after);
        assert_int_equal(fixture_teardown(&state), 0);
        assert_int_equal(fixture_setup(&state), 0);
    }
    print_message("killed at %d calls\n", at - 2);
    assert_true(at > 40);
}

static void test_killed_before_each_call(void **state)
{
    (void)state;
    kill_sweep(false);
}

static void test_killed_after_each_call(void **state)
{
    (void)state;
    kill_sweep(true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_eio),
        TEST(test_enospc),
        TEST(test_emfile),
        TEST(test_nothing_works_any_more),
        TEST(test_reserved_blocks),
        TEST(test_no_second_fsync),
        TEST(test_plain_rename),
        TEST(test_day_removed),
        TEST(test_stuck),
        TEST(test_killed_before_each_call),
        TEST(test_killed_after_each_call),
    };

    return cmocka_run_group_tests_name("publication", tests, NULL, NULL);
}
