/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way from pending/ to the store and to archive/ while all goes well: order, how many at a
 * time, what is sent, what is kept, and stopping.
 */

#include "tests/support/upload_fixture.h"

#include <string.h>
#include <unistd.h>

#define BYTES 9000
#define DAY "checkout/web-1/20260314/"

static void test_way(void **state)
{
    (void)state;
    upload_start();
    upload_set(4, true);
    upload_run();
    assert_int_equal(up.store->n_puts, 1);
    assert_string_equal(up.store->puts[0].key, ".contrace/probe-web_1");
    assert_true(strncmp(up.store->puts[0].meta, "sha256=", 7) == 0);
    assert_true(logged("uploads to fake://store work"));
    assert_true(uploader_idle(up.uploader));
    capture_many(1, BYTES); /* a publication leads to a put at once */
    upload_run();
    assert_int_equal(up.store->n_puts, 3);
    assert_string_equal(up.store->puts[1].key, DAY "092653-4711.trace");
    assert_int_equal(up.store->puts[1].size, BYTES);
    assert_true(strncmp(up.store->puts[1].meta,
                        "service=checkout host=web-1 artifact=trace pid=4711 "
                        "start=2026-03-14T09:26:53.000Z sha256=",
                        90) == 0);
    assert_string_equal(up.store->puts[2].key, DAY "092653-4711.json");
    assert_true(strncmp(up.store->puts[2].meta, "service=checkout host=web-1 sha256=", 35) == 0);
    assert_true(exists("archive/" DAY "092653-4711.trace"));
    assert_true(exists("archive/" DAY "092653-4711.json"));
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(upload_stats().ends[STORE_DONE], 1);
    assert_int_equal(upload_stats().bytes, BYTES);
    assert_true(upload_stats().last_success > 0);
    assert_int_equal(times_logged("upload"), 1);
    check_whole(true);
}

static void test_newest_first(void **state)
{
    (void)state;
    upload_start();
    capture_many(5, BYTES);
    upload_set(1, false);
    assert_true(fake_waiting(up.store)); /* the write probe, and it alone */
    assert_int_equal(up.store->n_puts, 1);
    upload_run();
    assert_int_equal(up.store->most, 1);
    assert_true(logged("uploads to fake://store work; 5 traces wait"));
    assert_string_equal(upload_put(1), "093053-4711");
    assert_string_equal(upload_put(2), "093053-4711R");
    assert_string_equal(upload_put(3), "092953-4711");
    assert_string_equal(upload_put(9), "092653-4711");
    assert_string_equal(upload_put(10), "092653-4711R");
    assert_int_equal(up.store->n_puts, 11);
    assert_int_equal(usage().traces, 0); /* not kept */
    assert_int_equal(usage().records, 0);
}

static void test_concurrency(void **state)
{
    (void)state;
    upload_start_with(3);
    up.store->hold = true;
    capture_many(7, BYTES);
    upload_run();
    assert_int_equal(up.store->under_way, 3);
    assert_int_equal(upload_stats().in_flight, 3);
    assert_false(uploader_idle(up.uploader));
    up.store->hold = false;
    assert_true(fake_release(up.store));
    upload_run();
    assert_int_equal(up.store->most, 3);
    assert_int_equal(stats_now().archive_files, 7);
    assert_true(uploader_idle(up.uploader));
}

/* A record tells the hash and more; the file is not read for it. */
static void test_record(void **state)
{
    (void)state;
    make_file("pending/" DAY "092653-4711.trace", "trace");
    make_file("pending/" DAY "092653-4711.json",
              "{\"service\": \"check out\", \"host\": \"web-1\", \"pid\": 4711, \"reason\": "
              "\"signal\", \"start\": \"2026-03-14T09:26:53.589Z\", \"seconds\": 1.9, "
              "\"label\": \"gc-pressure\", \"sha256\": "
              "\"eafe895eb8119e6e5d06463590b2ef81b3651c157d5c8e18f1889186c7fd0ac0\"}\n");
    upload_start();
    upload_set(1, true);
    up.store->hold = true;
    assert_true(fake_release(up.store));
    assert_int_equal(up.store->n_puts, 2); /* at once */
    assert_true(strncmp(up.store->puts[1].meta,
                        "service=check out host=web-1 artifact=trace pid=4711 reason=signal "
                        "start=2026-03-14T09:26:53.589Z seconds=1.9 label=gc-pressure sha256=",
                        135) == 0);
}

static void test_without_record(void **state)
{
    (void)state;
    make_file("pending/" DAY "092553.trace", "trace");
    upload_start();
    upload_set(1, true);
    upload_run();
    assert_int_equal(up.store->n_puts, 2);
    assert_true(
        strncmp(up.store->puts[1].meta,
                "service=checkout host=web-1 artifact=trace start=2026-03-14T09:25:53.000Z sha256=",
                81) == 0);
    assert_true(exists("archive/" DAY "092553.trace"));
}

static void test_drain(void **state)
{
    (void)state;
    upload_start_with(2);
    up.store->hold = true;
    capture_many(3, BYTES);
    upload_run();
    uploader_drain(up.uploader);
    assert_false(uploader_idle(up.uploader));
    up.store->hold = false;
    assert_true(fake_release(up.store));
    upload_run();
    assert_true(uploader_idle(up.uploader));
    assert_int_equal(stats_now().pending_files, 0);
    capture_many(1, BYTES); /* one that was in flight */
    assert_true(fake_count(up.store, ".json") >= 3);
    upload_run();
    assert_int_equal(stats_now().pending_files, 0);
}

/* What was published a moment ago is not forgotten, though nobody was told yet. */
static void test_not_idle(void **state)
{
    struct told told = {0};

    (void)state;
    upload_start_with(2);
    publish(written_file(BYTES), START, BYTES, &told);
    while (told.times == 0)
        assert_true(sd_event_run(fx.event, USEC_PER_SEC) >= 0);
    assert_false(uploader_idle(up.uploader));
    assert_true(uploader_all_sent(up.uploader)); /* it is older than the uploader */
    uploader_drain(up.uploader);
    assert_int_equal(upload_stats().in_flight, 1);
    upload_run();
    assert_int_equal(stats_now().archive_files, 1);
}

static void test_all_sent(void **state)
{
    uint64_t now;

    (void)state;
    upload_start_with(2);
    up.store->hold = true;
    assert_true(sd_event_now(fx.event, CLOCK_REALTIME, &now) >= 0);
    assert_int_equal(capture(now, BYTES, NULL), 0);
    upload_run();
    assert_false(uploader_all_sent(up.uploader));
    up.store->hold = false;
    assert_true(fake_release(up.store));
    upload_run();
    assert_true(uploader_all_sent(up.uploader));
}

static void test_cut(void **state)
{
    (void)state;
    upload_start_with(2);
    up.store->hold = true;
    capture_many(3, BYTES);
    upload_run();
    uploader_drain(up.uploader);
    uploader_cut(up.uploader);
    assert_true(uploader_idle(up.uploader));
    assert_int_equal(up.store->cancelled, 2);
    upload_run();
    assert_int_equal(up.store->n_puts, 2);
    assert_int_equal(stats_now().pending_files, 3);
    upload_stop();
    assert_int_equal(up.freed, 1);
    upload_start(); /* and they are found again */
    upload_set(2, true);
    upload_run();
    assert_int_equal(stats_now().archive_files, 3);
}

/* A file is being hashed when the uploads are cut: that ends at once, and it stays. */
static void test_cut_while_hashing(void **state)
{
    (void)state;
    upload_start();
    capture_many(1, 4 << 20);
    upload_set(1, true);
    assert_true(fake_release(up.store));
    assert_int_equal(upload_stats().in_flight, 1);
    uploader_cut(up.uploader);
    assert_true(uploader_idle(up.uploader));
    spool_item_return(taken());
    upload_run();
    assert_int_equal(up.store->n_puts, 1);
    assert_int_equal(stats_now().pending_files, 1);
}

static void test_set_in_flight(void **state)
{
    struct fake_store *old;

    (void)state;
    upload_start_with(2);
    old = up.store;
    old->hold = true;
    capture_many(3, BYTES);
    upload_run();
    upload_set(2, false);
    upload_run(); /* the probe, then what is not in flight: the newest, published last */
    assert_int_equal(up.freed, 0);
    assert_int_equal(up.store->n_puts, 1);
    assert_true(fake_release(old)); /* goes on with the old one */
    assert_int_equal(old->n_puts, 3);
    assert_true(fake_release(old));
    assert_true(fake_release(old));
    assert_int_equal(up.freed, 0);
    assert_true(fake_release(old));
    assert_int_equal(up.freed, 0); /* not within its own callback */
    upload_run();
    assert_int_equal(up.freed, 1);
    assert_int_equal(up.store->n_puts, 3);
    assert_string_equal(upload_put(1), "092853-4711");
    assert_int_equal(stats_now().pending_files, 0);
}

/* Before the write probe is answered nothing else is sent; it is waited for if something is. */
static void test_probe_first(void **state)
{
    (void)state;
    upload_start();
    upload_set(4, true);
    up.store->hold = true;
    upload_run();
    uploader_drain(up.uploader);
    assert_true(uploader_idle(up.uploader)); /* it alone keeps nobody */
    capture_many(2, BYTES);
    upload_run();
    assert_int_equal(up.store->n_puts, 1);
    assert_false(uploader_idle(up.uploader));
    up.store->hold = false;
    assert_true(fake_release(up.store));
    upload_run();
    assert_int_equal(stats_now().pending_files, 0);
}

static void test_set_none(void **state)
{
    (void)state;
    upload_start_with(2);
    uploader_set(up.uploader, NULL, 2, true);
    assert_int_equal(up.freed, 1);
    capture_many(1, BYTES);
    upload_run();
    assert_true(uploader_idle(up.uploader));
    assert_int_equal(stats_now().pending_files, 1);
    upload_set(2, true);
    upload_set(2, true); /* the first one's probe is under way */
    assert_int_equal(up.freed, 2);
    upload_run();
    assert_int_equal(stats_now().archive_files, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, upload_setup, upload_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_way),
        TEST(test_newest_first),
        TEST(test_concurrency),
        TEST(test_record),
        TEST(test_without_record),
        TEST(test_drain),
        TEST(test_not_idle),
        TEST(test_all_sent),
        TEST(test_cut),
        TEST(test_cut_while_hashing),
        TEST(test_set_in_flight),
        TEST(test_probe_first),
        TEST(test_set_none),
    };

    return cmocka_run_group_tests_name("uploader", tests, NULL, NULL);
}
