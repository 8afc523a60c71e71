/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Retention as the spool carries it out: what goes, when, and what is said when it cannot.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>

#include "lib/spool/spool_state.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define REST ((int64_t)(CORE_REST_FIRST + USEC_PER_MSEC))

static void check_files(void)
{
    assert_true(usage().traces <= fx.limits.max_files);
}

static void test_reload(void **state)
{
    (void)state;
    assert_int_equal(fixture_start(), 0);
    capture_many(30, 100);
    fx.limits.max_files = 10;
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
    assert_int_equal(stats_now().archive_files, 10);
    assert_int_equal(times_logged("deleted 20 traces, 160KiB"), 1);
    fx.limits.max_files = 5;
    fixture_restart(); /* as does a start */
    assert_int_equal(usage().traces, 5);
    assert_true(exists("archive/checkout/web-1/20260314/095553-4711.trace")); /* the newest */
}

static void test_pending_goes_last_and_loudly(void **state)
{
    (void)state;
    fx.upload = true;
    assert_int_equal(fixture_start(), 0);
    capture_many(2, 100);
    fixture_stop();
    fx.upload = false;
    assert_int_equal(fixture_start(), 0);
    for (unsigned i = 2; i < 4; i++)
        assert_int_equal(capture(START + i * USEC_PER_MIN, 100, NULL), 0);
    fx.limits.max_files = 1;
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
    assert_int_equal(stats_now().pending_files, 1);
    assert_int_equal(stats_now().archive_files, 0);
    assert_int_equal(stats_now().dropped_unsent, 1);
    assert_true(logged("deleted checkout/web-1/20260314/092653-4711.trace from"));
    assert_true(logged("before it was uploaded, for max_files"));
    assert_true(exists("pending/checkout/web-1/20260314/092753-4711.trace"));
}

/* All began in one second. A key that was deleted a moment ago may be in the store. */
static void test_no_key_twice(void **state)
{
    (void)state;
    real_shift = (int64_t)START - (int64_t)clock_real();
    fx.limits.max_files = 2;
    assert_int_equal(fixture_start(), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(capture(START, 100, NULL), 0);
    assert_int_equal(usage().traces, 2);
    assert_true(exists("archive/checkout/web-1/20260314/092653-4711-4.trace"));
}

/* The space does not come back (somebody has the file open): the history must not be spent on
 * it. */
static void test_space_that_does_not_come_back(void **state)
{
    struct spool_file *f;
    uint64_t before;

    (void)state;
    fx.limits.min_free = 0.5;
    fake_total_bytes = 2 * MIB;
    assert_int_equal(fixture_start(), 0);
    capture_many(10, 60 * KIB);
    before = stats_now().archive_files;
    for (int i = 0; i < 20; i++) {
        struct told told = {0};
        int r = spool_file_new(fx.spool, 200 * KIB, on_room, &told, &f);

        fake_others += r == 0 ? (int64_t)(400 * KIB) : 0;
        fixture_settle();
        if (r == 0 && told.r < 0)
            spool_file_discard(f);
    }
    assert_true(stats_now().archive_files + 6 >= before);
    assert_true(logged("less than min_free left"));
}

static void test_one_immutable_trace(void **state)
{
    (void)state;
    fx.limits.max_files = 5;
    assert_int_equal(fixture_start(), 0);
    capture_many(5, 100);
    forget_log();
    inject("unlinkat", 1, EPERM);
    assert_int_equal(capture(START + USEC_PER_HOUR, 100, NULL), 0); /* the next goes */
    inject_nothing();
    assert_int_equal(times_logged("1 traces in"), 1);
    assert_true(logged("cannot be deleted (Operation not permitted)"));
    assert_true(exists("archive/checkout/web-1/20260314/092653-4711.trace"));
    boot_shift += (int64_t)(11 * USEC_PER_MIN);
    assert_int_equal(capture(START + 2 * USEC_PER_HOUR, 100, NULL), 0);
    fixture_settle();
    assert_false(exists("archive/checkout/web-1/20260314/092653-4711.trace"));
    assert_int_equal(times_logged("can be deleted again"), 1);
    check_files();
}

/* A server that failed over says EROFS once: captures go on with the next trace. */
static void test_read_only_for_a_moment(void **state)
{
    (void)state;
    fx.limits.max_files = 5;
    assert_int_equal(fixture_start(), 0);
    capture_many(5, 100);
    forget_log();
    inject("unlinkat", 1, EROFS);
    assert_int_equal(capture(START + USEC_PER_HOUR, 100, NULL), 0);
    assert_int_equal(capture(START + 2 * USEC_PER_HOUR, 100, NULL), 0);
    inject_nothing();
    assert_true(logged("(Read-only file system); they will be tried again in 5s"));
    assert_int_equal(times_logged("no room for another trace"), 0);
    boot_shift += REST;
    assert_int_equal(capture(START + 3 * USEC_PER_HOUR, 100, NULL), 0);
    fixture_settle();
    assert_false(exists("archive/checkout/web-1/20260314/092653-4711.trace"));
    check_files();
}

/* The same when there is no other: after a moment, not after minutes. */
static void test_read_only_for_a_moment_and_no_other(void **state)
{
    (void)state;
    fx.limits.max_files = 1;
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(capture(START, 100, NULL), 0);
    inject("unlinkat", 1, EROFS);
    assert_int_equal(capture(START + USEC_PER_HOUR, 100, NULL), -ENOSPC);
    inject_nothing();
    boot_shift += REST;
    assert_int_equal(capture(START + 2 * USEC_PER_HOUR, 100, NULL), 0);
    check_files();
}

/* One call now and then, each time of another trace: they do not add up to a long pause. */
static void test_one_failure_after_another(void **state)
{
    usec time = START + USEC_PER_HOUR;

    (void)state;
    fx.limits.max_files = 3;
    assert_int_equal(fixture_start(), 0);
    capture_many(3, 100);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++, time += USEC_PER_MIN) {
            inject("unlinkat", 1, EIO);
            (void)capture(time, 100, NULL);
            boot_shift += (int64_t)USEC_PER_SEC;
        }
        inject_nothing();
        boot_shift += REST;
        assert_int_equal(capture(time, 100, NULL), 0);
        time += USEC_PER_MIN;
        check_files();
    }
}

/* However long it lasted, captures do not wait for more than the first rest. What is not needed for
 * them is asked less and less often. */
static void test_failures_for_long(void **state)
{
    uint64_t due, now;
    int calls;

    (void)state;
    fx.limits.max_files = 3;
    assert_int_equal(fixture_start(), 0);
    capture_many(3, 100);
    forget_log();
    injection.all = true;
    inject("unlinkat", 1, EIO);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(capture(START + USEC_PER_HOUR, 100, NULL), -ENOSPC);
        boot_shift += REST;
    }
    assert_true(logged("they will be tried again in 5s, then less and less often"));
    assert_int_equal(times_logged("cannot be deleted (Input/output error)"), 1);
    assert_int_equal(times_logged("no room for another trace"), 1);
    fx.limits.max_files = 1;
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
    calls = atomic_load(&injection.count);
    assert_true(calls < 400);
    assert_true(sd_event_source_get_time(fx.spool->expiry.timer, &due) >= 0);
    assert_true(sd_event_now(fx.event, CLOCK_BOOTTIME, &now) >= 0);
    assert_true(due > now + USEC_PER_MIN && due < now + 11 * USEC_PER_MIN);
    inject_nothing();
    boot_shift += REST;
    assert_int_equal(capture(START + 2 * USEC_PER_HOUR, 100, NULL), 0);
    fixture_settle();
    assert_int_equal(times_logged("has room for traces again"), 1);
    check_files();
}

static void test_nothing_can_be_deleted(void **state)
{
    int calls;

    (void)state;
    fx.limits.max_files = 5;
    assert_int_equal(fixture_start(), 0);
    capture_many(5, 100);
    forget_log();
    injection.all = true;
    inject("unlinkat", 1, EIO);
    for (int i = 0; i < 20; i++)
        assert_int_equal(capture(START + USEC_PER_HOUR, 100, NULL), -ENOSPC);
    fixture_settle();
    calls = atomic_load(&injection.count);
    assert_true(calls <= 6);
    assert_int_equal(times_logged("cannot be deleted (Input/output error)"), 1);
    assert_int_equal(times_logged("no room for another trace"), 1);
    assert_int_equal(stats_now().archive_files, 5);
    inject_nothing();
    boot_shift += (int64_t)(11 * USEC_PER_MIN);
    assert_int_equal(capture(START + USEC_PER_HOUR, 100, NULL), 0);
    fixture_settle();
    assert_int_equal(times_logged("has room for traces again"), 1);
    assert_int_equal(usage().traces, 5);
}

static void set_real(usec real)
{
    uint64_t now = 0;

    real_shift = 0;
    assert_true(sd_event_now(fx.event, CLOCK_REALTIME, &now) >= 0);
    real_shift = (int64_t)real - (int64_t)now;
}

static void pass_time(usec by)
{
    boot_shift += (int64_t)by;
    real_shift += (int64_t)by;
}

static void retention_now(void)
{
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
}

static void test_age(void **state)
{
    (void)state;
    set_real(START);
    fx.limits.max_age = USEC_PER_DAY;
    assert_int_equal(fixture_start(), 0);
    capture_many(10, 100);
    pass_time(USEC_PER_DAY - USEC_PER_MIN);
    retention_now();
    assert_int_equal(usage().traces, 10);
    pass_time(5 * USEC_PER_MIN + USEC_PER_SEC * 2);
    retention_now();
    assert_int_equal(usage().traces, 5);
    assert_true(logged("deleted 5 traces, 40.0KiB") && logged("5 for max_age"));
    pass_time(USEC_PER_DAY);
    retention_now();
    assert_int_equal(usage().traces, 0);
    assert_false(exists("archive/checkout"));
}

static void test_clock_jumps(void **state)
{
    (void)state;
    set_real(START);
    fx.limits.max_age = USEC_PER_DAY;
    assert_int_equal(fixture_start(), 0);
    capture_many(10, 100);
    real_shift += (int64_t)(400 * USEC_PER_DAY); /* while we run */
    retention_now();
    assert_int_equal(usage().traces, 10);
    fixture_restart(); /* before the start */
    assert_int_equal(usage().traces, 10);
    pass_time(USEC_PER_HOUR);
    retention_now();
    assert_int_equal(usage().traces, 10);
    pass_time(USEC_PER_DAY);
    retention_now();
    assert_int_equal(usage().traces, 0); /* time did pass */

    set_real(START);
    fixture_restart();
    capture_many(10, 100);
    real_shift -= (int64_t)(400 * USEC_PER_DAY); /* backward: they stay longer */
    pass_time(2 * USEC_PER_DAY);
    retention_now();
    assert_int_equal(usage().traces, 10);
}

/* One timer, for the oldest trace; none while nothing can expire. */
static void test_expiry_timer(void **state)
{
    uint64_t due, now;
    int enabled;

    (void)state;
    set_real(START);
    assert_int_equal(fixture_start(), 0);
    capture_many(2, 100);
    assert_true(sd_event_source_get_enabled(fx.spool->expiry.timer, &enabled) >= 0);
    assert_int_equal(enabled, SD_EVENT_OFF);
    fx.limits.max_age = USEC_PER_DAY;
    retention_now();
    assert_true(sd_event_source_get_enabled(fx.spool->expiry.timer, &enabled) >= 0);
    assert_int_equal(enabled, SD_EVENT_ONESHOT);
    assert_true(sd_event_source_get_time(fx.spool->expiry.timer, &due) >= 0);
    assert_true(sd_event_now(fx.event, CLOCK_BOOTTIME, &now) >= 0);
    assert_true(due > now + USEC_PER_DAY - USEC_PER_MIN && due < now + USEC_PER_DAY + USEC_PER_MIN);
    fixture_stop();
    fx.limits.max_age = 0;
    assert_int_equal(fixture_start(), 0);
    assert_true(sd_event_source_get_enabled(fx.spool->expiry.timer, &enabled) >= 0);
    assert_int_equal(enabled, SD_EVENT_OFF);
}

/*
 * A quota does not show in statvfs: after a failed write new traces take the place of the oldest.
 */
static void test_full_without_a_sign(void **state)
{
    uint64_t kept;

    (void)state;
    set_real(START);
    assert_int_equal(fixture_start(), 0);
    capture_many(10, 20000);
    kept = usage().bytes;
    spool_found_full(fx.spool);
    capture_many(3, 20000);
    assert_true(usage().bytes <= kept);
    assert_true(usage().traces < 13);
    pass_time(2 * USEC_PER_HOUR); /* later it is tried again whether there is more */
    capture_many(3, 20000);
    assert_true(usage().bytes > kept - 60000);
    kept = usage().traces;
    capture_many(5, 20000);
    assert_int_equal(usage().traces, kept + 5);
}

/* What was learned from a failed write costs old traces if it can, and no new one if it cannot. */
static void test_full_and_nothing_can_be_deleted(void **state)
{
    (void)state;
    assert_int_equal(fixture_start(), 0);
    capture_many(100, 20000);
    spool_found_full(fx.spool);
    injection.all = true;
    inject("unlinkat", 1, EIO);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(capture(START + USEC_PER_HOUR + i * USEC_PER_MIN, 20000, NULL), 0);
    assert_true(atomic_load(&injection.count) > 0);
}

/* Nor does it take what came since: there is room, if others made it. */
static void test_full_and_little_kept(void **state)
{
    (void)state;
    fx.upload = true;
    assert_int_equal(fixture_start(), 0);
    spool_found_full(fx.spool);
    capture_many(2, 20000);
    spool_set_limits(fx.spool, &fx.limits); /* a reload, or age, makes it look */
    fixture_settle();
    assert_int_equal(stats_now().pending_files, 2);
}

/* What failed a moment ago, in a pass that is under way, rests like others. */
static void test_no_retry_during_a_pass(void **state)
{
    struct pass *pass;
    int under_way;
    bool retried;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    fixture_settle();
    pass = &fx.spool->pass;
    pass->failed_items = 1;
    pass->run = (void *)&under_way;
    retried = pass_retry_failed(pass, false);
    pass->run = NULL;
    assert_false(retried);
    assert_int_equal(pass->failed_items, 1);
    assert_true(pass_retry_failed(pass, false));
}

/* The end of a pass says when what failed before is tried again. A time that is over before that
 * would wake the loop again and again. */
static void test_no_timer_during_a_pass(void **state)
{
    const struct retention_limits ample = fx.limits, none = {.max_bytes = 1, .max_files = 1};
    const usec *retry;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    capture_many(1, 100);
    retry = &fx.spool->expiry.retry[EXPIRY_TRACES];
    inject("unlinkat", 1, EIO);
    spool_set_limits(fx.spool, &none);
    while (*retry == USEC_NEVER)
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
    inject_nothing();
    spool_set_limits(fx.spool, &ample);
    assert_int_equal(capture(START + USEC_PER_HOUR, 100, NULL), 0);
    spool_set_limits(fx.spool, &none);
    while (!pass_running(&fx.spool->pass))
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
    assert_true(*retry == USEC_NEVER);
    while (pass_running(&fx.spool->pass))
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
    assert_int_equal(fx.spool->pass.failed_items, 1);
    assert_true(*retry == fx.spool->pass.failed_retry);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_reload),
        TEST(test_no_key_twice),
        TEST(test_pending_goes_last_and_loudly),
        TEST(test_space_that_does_not_come_back),
        TEST(test_one_immutable_trace),
        TEST(test_read_only_for_a_moment),
        TEST(test_read_only_for_a_moment_and_no_other),
        TEST(test_one_failure_after_another),
        TEST(test_failures_for_long),
        TEST(test_nothing_can_be_deleted),
        TEST(test_age),
        TEST(test_clock_jumps),
        TEST(test_expiry_timer),
        TEST(test_full_without_a_sign),
        TEST(test_full_and_nothing_can_be_deleted),
        TEST(test_full_and_little_kept),
        TEST(test_no_retry_during_a_pass),
        TEST(test_no_timer_during_a_pass),
    };

    return cmocka_run_group_tests_name("pass", tests, NULL, NULL);
}
