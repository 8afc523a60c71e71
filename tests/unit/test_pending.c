/* SPDX-License-Identifier: Apache-2.0 */

/*
 * pending/ as a queue: what is offered, and what becomes of it.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/spool/spool_state.h"

#define BYTES 9000
#define FIRST "checkout/web-1/20260314/092653-4711"
#define MANY 20000

static void count_call(void *userdata)
{
    ++*(int *)userdata;
}

static void test_take(void **state)
{
    struct spool_item *a, *b;
    char text[16] = "";

    (void)state;
    start_uploading();
    assert_null(taken());
    capture_many(2, BYTES);
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

    assert_int_equal(archive(a, true), 0);
    assert_true(exists("archive/checkout/web-1/20260314/092753-4711.trace"));
    assert_true(exists("archive/checkout/web-1/20260314/092753-4711.json"));
    assert_false(exists("pending/checkout/web-1/20260314/092753-4711.json"));
    assert_int_equal(stats_now().archive_files, 1);
    assert_int_equal(stats_now().pending_files, 1);
    assert_int_equal(stats_now().archive_bytes, stats_now().pending_bytes);
    assert_int_equal(archive(b, false), 0);
    assert_false(exists("pending/checkout"));
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(usage().traces, 1);
    assert_true(stats_now().oldest_pending == 0);
    assert_null(taken());
}

/* A store that came, or went, with a reload: only what is captured from then on goes elsewhere. */
static void test_upload_turned_on_and_off(void **state)
{
    (void)state;
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    spool_set_upload(fx.spool, true);
    assert_int_equal(capture(START + USEC_PER_MIN, BYTES, NULL), 0);
    assert_true(exists("archive/" FIRST ".trace"));
    assert_true(exists("pending/checkout/web-1/20260314/092753-4711.trace"));
    spool_set_upload(fx.spool, false);
    assert_int_equal(capture(START + 2 * USEC_PER_MIN, BYTES, NULL), 0);
    assert_true(exists("archive/checkout/web-1/20260314/092853-4711.trace"));
    assert_int_equal(stats_now().pending_files, 1);
    assert_int_equal(stats_now().archive_files, 2);
}

static void test_put_aside(void **state)
{
    (void)state;
    start_uploading();
    capture_many(3, BYTES);
    spool_item_put_aside(taken());
    spool_item_put_aside(taken());
    assert_int_equal(stats_now().aside_files, 2);
    assert_int_equal(stats_now().pending_files, 3);
    spool_item_return(taken());
    assert_int_equal(archive(taken(), true), 0);
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

/* Each rests for as long as was said, and the others are taken meanwhile. */
static void test_put_off(void **state)
{
    struct spool_item *item;
    uint64_t now;

    (void)state;
    start_uploading();
    assert_int_equal(spool_next_offer(fx.spool), USEC_NEVER);
    capture_many(3, BYTES);
    assert_int_equal(spool_next_offer(fx.spool), 0);
    item = taken();
    assert_int_equal(spool_item_failures(item), 0);
    spool_item_put_off(item, USEC_PER_MIN);
    spool_item_put_off(taken(), 3 * USEC_PER_MIN);
    item = taken();
    assert_string_equal(spool_item_key(item), FIRST ".trace");
    assert_null(taken());
    assert_true(sd_event_now(fx.event, CLOCK_BOOTTIME, &now) >= 0);
    assert_in_range(spool_next_offer(fx.spool), now + 59 * USEC_PER_SEC, now + 61 * USEC_PER_SEC);
    boot_shift += (int64_t)(2 * USEC_PER_MIN);
    assert_int_equal(spool_next_offer(fx.spool), 0);
    spool_item_return(item);
    item = taken();
    assert_string_equal(spool_item_key(item), "checkout/web-1/20260314/092853-4711.trace");
    assert_int_equal(spool_item_failures(item), 1);
    spool_item_return(taken());
    spool_item_put_off(item, USEC_NEVER);
    assert_int_equal(archive(taken(), true), 0); /* the first */
    assert_null(taken());
    boot_shift += (int64_t)(USEC_PER_DAY + USEC_PER_MIN);
    item = taken(); /* a day at most */
    assert_int_equal(spool_item_failures(item), 2);
    spool_item_return(item);
}

static void test_offers(void **state)
{
    struct spool_item *item;
    int calls = 0;

    (void)state;
    start_uploading();
    capture_many(3, BYTES);
    spool_set_pending_fn(fx.spool, count_call, &calls);
    fixture_settle();
    spool_item_put_off(taken(), USEC_PER_HOUR);
    spool_item_put_aside(taken());
    spool_item_put_aside(taken());
    assert_null(taken());
    spool_offer_key(fx.spool, FIRST ".trace");
    spool_offer_key(fx.spool, FIRST ".trace");
    spool_offer_key(fx.spool, "checkout/web-1/20260314/092853-4711.trace"); /* not aside */
    spool_offer_key(fx.spool, "checkout/web-1/20260314/092153-4711.trace"); /* not there */
    spool_offer_key(fx.spool, "no key");
    assert_int_equal(stats_now().aside_files, 1);
    fixture_settle();
    assert_int_equal(calls, 2);
    item = taken();
    assert_string_equal(spool_item_key(item), FIRST ".trace");
    assert_int_equal(spool_item_failures(item), 1);
    spool_item_put_aside(item);
    spool_offer_put_off(fx.spool);
    item = taken();
    assert_string_equal(spool_item_key(item), "checkout/web-1/20260314/092853-4711.trace");
    assert_null(taken());
    spool_item_put_off(item, USEC_PER_HOUR);
    spool_offer_again(fx.spool);
    assert_int_equal(spool_next_offer(fx.spool), 0);
    item = taken();
    assert_int_equal(spool_item_failures(item), 0);
    spool_item_return(item);
    assert_true(spool_pending_since(fx.spool, START + 2 * USEC_PER_MIN));
    assert_false(spool_pending_since(fx.spool, START + 2 * USEC_PER_MIN + 1));
    assert_int_equal(archive(taken(), true), 0);
    assert_false(spool_pending_since(fx.spool, START + 2 * USEC_PER_MIN));
    assert_true(spool_pending_since(fx.spool, START));
}

/* Too few descriptors say nothing of a trace: it stays on offer. */
/* The store has it although nothing here tells: another of the same second must not replace it. */
static void test_key_of_deleted(void **state)
{
    struct spool_item *item;

    (void)state;
    start_uploading();
    capture_many(1, BYTES);
    assert_int_equal(archive(taken(), false), 0);
    assert_int_equal(stats_now().pending_files, 0);
    capture_many(1, BYTES);
    item = taken();
    assert_string_equal(spool_item_key(item), FIRST "-1.trace");
    assert_int_equal(archive(item, true), 0);
    capture_many(1, BYTES);
    item = taken();
    assert_string_equal(spool_item_key(item), FIRST "-2.trace");
    spool_item_return(item);
}

static void test_recent_keys(void **state)
{
    static struct recent recent;
    char key[32];

    (void)state;
    assert_false(recent_has(&recent, "a"));
    for (unsigned i = 0; i < 2 * RECENT_KEYS; i++) {
        (void)snprintf(key, sizeof(key), "%u", i);
        recent_add(&recent, key);
        assert_true(recent_has(&recent, key));
    }
    for (unsigned i = 0; i < 2 * RECENT_KEYS; i++) {
        (void)snprintf(key, sizeof(key), "%u", i);
        assert_int_equal(recent_has(&recent, key), i >= RECENT_KEYS);
    }
}

static void test_shortage(void **state)
{
    struct spool_item *item;

    (void)state;
    start_uploading();
    capture_many(1, BYTES);
    forget_log();
    inject("openat", 1, EMFILE);
    assert_int_equal(spool_take(fx.spool, &item), -EMFILE);
    inject_nothing();
    assert_int_equal(n_log_lines, 0);
    assert_int_equal(spool_take(fx.spool, &item), 1);
    spool_item_return(item);
}

/* Retention leaves alone what is being uploaded. */
static void test_taken_is_kept(void **state)
{
    struct spool_item *item;

    (void)state;
    start_uploading();
    capture_many(2, BYTES);
    item = taken();
    fx.limits.max_files = 0;
    spool_set_limits(fx.spool, &fx.limits);
    fixture_settle();
    assert_int_equal(usage().traces, 1);
    assert_int_equal(archive(item, true), 0);
    assert_true(exists("archive/checkout/web-1/20260314/092753-4711.trace"));
}

/* The timer of age follows what joins the archive, also when that is older than what was there. */
static void test_age_of_settled(void **state)
{
    uint64_t first, second, now = 0;

    (void)state;
    assert_true(sd_event_now(fx.event, CLOCK_REALTIME, &now) >= 0);
    real_shift = (int64_t)START - (int64_t)now;
    fx.limits.max_age = USEC_PER_DAY;
    start_uploading();
    capture_many(5, BYTES);
    assert_int_equal(archive(taken(), true), 0);
    assert_true(sd_event_source_get_time(fx.spool->expiry.timer, &first) >= 0);
    assert_int_equal(archive(taken(), true), 0);
    assert_true(sd_event_source_get_time(fx.spool->expiry.timer, &second) >= 0);
    assert_true(second < first);
}

static void test_pending_fn(void **state)
{
    int calls = 0;

    (void)state;
    start_uploading();
    spool_set_pending_fn(fx.spool, count_call, &calls);
    fixture_settle();
    assert_int_equal(calls, 0); /* nothing is pending */
    capture_many(1, BYTES);
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
    capture_many(4, BYTES);
    assert_int_equal(unlink(below("pending/checkout/web-1/20260314/092953-4711.trace")), 0);
    assert_int_equal(unlink(below("pending/checkout/web-1/20260314/092853-4711.trace")), 0);
    assert_int_equal(
        symlink("/etc/passwd", below("pending/checkout/web-1/20260314/092853-4711.trace")), 0);
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
    assert_int_equal(archive(item, true), 0);
    assert_true(exists("archive/" FIRST ".trace"));
    boot_shift += (int64_t)(6 * USEC_PER_SEC); /* one bad moment is soon forgotten */
    assert_int_equal(spool_take(fx.spool, &item), -ELOOP);
    assert_int_equal(spool_take(fx.spool, &item), -EPERM);
    boot_shift += (int64_t)(6 * USEC_PER_SEC);
    assert_null(taken());
    boot_shift += (int64_t)(6 * USEC_PER_SEC);
    assert_int_equal(spool_take(fx.spool, &item), -ELOOP);
}

/* The trace ships; that its record does not is said. */
static void test_endless_record(void **state)
{
    struct spool_item *item;

    (void)state;
    start_uploading();
    capture_many(1, BYTES);
    assert_int_equal(truncate(below("pending/" FIRST ".json"), SPOOL_RECORD_MAX + 1), 0);
    forget_log();
    assert_int_equal(spool_take(fx.spool, &item), 1);
    assert_null(spool_item_record(item));
    assert_true(logged("is uploaded without its record: it is longer than 256 KiB"));
    spool_item_return(item);
}

static void test_foreign_in_archive(void **state)
{
    struct spool_item *item;
    struct stat st;

    (void)state;
    start_uploading();
    capture_many(1, BYTES);
    make_file("archive/" FIRST ".trace", "foreign");
    assert_int_equal(archive(taken(), true), -EEXIST);
    assert_true(logged("something else has its name in"));
    assert_null(taken());
    assert_int_equal(stats_now().aside_files, 1);
    assert_true(exists("pending/" FIRST ".trace") && exists("pending/" FIRST ".json"));
    assert_false(exists("archive/" FIRST ".json"));
    assert_int_equal(unlink(below("archive/" FIRST ".trace")), 0);
    make_file("archive/" FIRST ".json", "foreign");
    spool_offer_again(fx.spool);
    assert_int_equal(archive(taken(), true), -EEXIST);
    assert_int_equal(stat(below("archive/" FIRST ".json"), &st), 0);
    assert_int_equal(st.st_size, 7);
    assert_int_equal(unlink(below("archive/" FIRST ".json")), 0);
    spool_offer_again(fx.spool);
    item = taken(); /* removed while it was uploaded */
    assert_int_equal(unlink(below("pending/" FIRST ".trace")), 0);
    assert_int_equal(archive(item, true), -ENOENT);
    assert_int_equal(stats_now().pending_files, 0);
    check_whole(true);
}

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
            spool_item_archive(items[i], n % 16 == 0, NULL, NULL);
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
        TEST(test_upload_turned_on_and_off),
        TEST(test_put_aside),
        TEST(test_put_off),
        TEST(test_offers),
        TEST(test_key_of_deleted),
        cmocka_unit_test(test_recent_keys),
        TEST(test_shortage),
        TEST(test_taken_is_kept),
        TEST(test_age_of_settled),
        TEST(test_pending_fn),
        TEST(test_what_is_not_ours),
        TEST(test_endless_record),
        TEST(test_foreign_in_archive),
        TEST(test_many),
    };

    return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
