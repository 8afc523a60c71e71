/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the store may answer, and what becomes of the trace, of the others and of the log.
 */

#include "tests/support/upload_fixture.h"
#include "tests/support/virtual_time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BYTES 5000
#define DAY "checkout/web-1/20260314/"
#define NEWEST(n) (START + (n) * USEC_PER_MIN)

static struct {
    enum store_end all; /* for what no other line says */
    bool trouble;
    usec retry_after;
    const char *poison; /* part of a key that gets: */
    enum store_end poisoned;
    unsigned first; /* only so many times; 0: always */
    bool probe_too; /* `all` is for the write probe, too */
} script;

static void answer(struct fake_store *f, const struct store_object *object, unsigned nth,
                   struct store_result *ret)
{
    (void)f;
    if (script.poison && strstr(object->key, script.poison)) {
        if (script.first == 0 || nth < script.first)
            ret->end = script.poisoned;
    } else if (script.probe_too || !strstr(object->key, "probe")) {
        ret->end = script.all;
    }
    if (ret->end != STORE_DONE) {
        ret->trouble = script.trouble;
        ret->retry_after = script.retry_after;
        (void)snprintf(ret->text, sizeof(ret->text), "the store says %s", store_end_name(ret->end));
    }
}

static int setup(void **state)
{
    memset(&script, 0, sizeof(script));
    return upload_setup(state);
}

/* A store that follows the script, and n traces, of which the first is uploaded last. */
static void begin(unsigned concurrency, unsigned n)
{
    upload_start();
    capture_many(n, BYTES);
    upload_set(concurrency, true);
    up.store->answer = answer;
    forget_log();
}

static void pass(usec time)
{
    virtual_pass(time, upload_run);
}

static enum breaker_state breaker(void)
{
    return upload_stats().breaker;
}

/* As at a reload: whoever mended the store waits for no probe, nor restarts for one refused. */
static void test_try_again(void **state)
{
    (void)state;
    begin(2, 3);
    script.poison = "092753";
    script.poisoned = STORE_REFUSED;
    upload_run();
    assert_int_equal(stats_now().aside_files, 1);
    script.poison = NULL;
    uploader_try_again(up.uploader);
    upload_run();
    assert_int_equal(stats_now().pending_files, 0);

    script.all = STORE_PARKED;
    assert_int_equal(capture(NEWEST(9), BYTES, NULL), 0);
    upload_run();
    assert_int_equal(breaker(), BREAKER_PARKED);
    script.all = STORE_DONE;
    uploader_try_again(up.uploader);
    upload_run();
    assert_int_equal(breaker(), BREAKER_CLOSED);
    assert_int_equal(stats_now().pending_files, 0);
    uploader_set(up.uploader, NULL, 1, true);
    uploader_try_again(up.uploader);
}

static void test_trouble_opens(void **state)
{
    (void)state;
    script.all = STORE_RETRY;
    script.trouble = true;
    begin(4, 6);
    pass(0);
    pass(30 * USEC_PER_SEC);
    assert_int_equal(breaker(), BREAKER_OPEN);
    assert_int_equal(times_logged("uploads to fake://store fail: the store says retry; this is"
                                  " tried again within 1m at the longest; 6 traces wait in"
                                  " pending/"),
                     1);
    fake_forget(up.store);
    pass(USEC_PER_HOUR);
    assert_true(up.store->n_puts >= 60 && up.store->n_puts < 180);
    script.all = STORE_DONE;
    pass(USEC_PER_MIN + USEC_PER_SEC);
    assert_int_equal(breaker(), BREAKER_CLOSED);
    assert_int_equal(stats_now().archive_files, 6);
    assert_int_equal(times_logged("uploads to fake://store work again; "), 1);
    assert_int_equal(times_logged("upload"), 3); /* and that the write probe went well */
    assert_int_equal(virtual_next(), USEC_NEVER);
    script.all = STORE_RETRY; /* and once more */
    assert_int_equal(capture(NEWEST(9), BYTES, NULL), 0);
    pass(USEC_PER_HOUR);
    assert_int_equal(times_logged(" fail: "), 2);
}

/* One file that always meets with trouble keeps nobody back, whichever it is. */
static void starve(enum store_end end, bool trouble, usec time)
{
    script.poison = "093053";
    script.poisoned = end;
    script.trouble = trouble;
    begin(1, 5);
    pass(time);
    assert_int_equal(stats_now().archive_files, 4);
    assert_int_equal(capture(NEWEST(9), BYTES, NULL), 0);
    pass(time);
    assert_int_equal(stats_now().archive_files, 5);
    fake_forget(up.store);
    pass(USEC_PER_HOUR);
    assert_true(up.store->n_puts < 180);
}

static void test_poison_trouble(void **state)
{
    (void)state;
    starve(STORE_RETRY, true, USEC_PER_MIN);
}

static void test_poison_alone(void **state)
{
    (void)state;
    starve(STORE_RETRY, false, 30 * USEC_PER_SEC);
    assert_int_equal(times_logged("did not reach fake://store in 5 tries"), 1);
    assert_int_equal(breaker(), BREAKER_CLOSED);
    script.poison = NULL;
    pass(6 * USEC_PER_MIN);
    assert_int_equal(stats_now().pending_files, 0);
}

static void test_retry_after(void **state)
{
    (void)state;
    script.all = STORE_RETRY;
    script.trouble = true;
    script.retry_after = 20 * USEC_PER_MIN;
    begin(4, 6);
    pass(19 * USEC_PER_MIN);
    assert_int_equal(breaker(), BREAKER_OPEN); /* at once */
    assert_true(up.store->n_puts <= 5);
}

static void test_parked(void **state)
{
    (void)state;
    script.all = STORE_PARKED;
    begin(4, 6);
    pass(30 * USEC_PER_SEC);
    assert_int_equal(breaker(), BREAKER_PARKED);
    assert_int_equal(up.store->n_puts, 5);
    assert_int_equal(times_logged("fail: the store says parked; this needs someone to act"), 1);
    pass(USEC_PER_HOUR);
    assert_true(up.store->n_puts < 5 + 15 && up.store->n_puts >= 5 + 11);
    assert_int_equal(times_logged("fail: "), 1);
    assert_int_equal(stats_now().aside_files, 0);
    script.all = STORE_DONE;
    pass(5 * USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 6);
    assert_int_equal(times_logged("work again"), 1);
}

/* Something that the store parks for one trace only does not park the others for good. */
static void test_poison_parked(void **state)
{
    size_t before;

    (void)state;
    script.poison = "093053";
    script.poisoned = STORE_PARKED;
    begin(1, 5);
    pass(5 * USEC_PER_MIN);
    assert_true(stats_now().archive_files >= 1);
    pass(15 * USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 4);
    assert_int_equal(breaker(), BREAKER_CLOSED);
    assert_true(logged("fake://store takes others, but not " DAY "093053-4711.trace"));
    before = up.store->n_puts;
    pass(USEC_PER_DAY);
    assert_int_equal(breaker(), BREAKER_CLOSED);
    assert_in_range(up.store->n_puts - before, 20, 25); /* an hour apart */
    assert_int_equal(times_logged("takes others, but not"), 1);
    script.poison = NULL; /* somebody mended it */
    pass(USEC_PER_HOUR + USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 5);
}

static void flap(struct fake_store *f, const struct store_object *object, unsigned nth,
                 struct store_result *ret)
{
    static unsigned n;

    (void)f;
    (void)nth;
    if (!strstr(object->key, "probe") && n++ % 4 >= 2)
        ret->end = STORE_PARKED;
}

/* One of the store's machines has no permission: nobody's trace is to blame, and all arrive. */
static void test_flapping(void **state)
{
    (void)state;
    begin(1, 5);
    up.store->answer = flap;
    pass(USEC_PER_DAY);
    assert_int_equal(stats_now().aside_files, 0);
    assert_int_equal(stats_now().archive_files, 5);
}

/* Outage upon outage: what was asked about in vain is not blamed for that. */
static void test_innocent(void **state)
{
    static const enum store_end ends[] = {STORE_RETRY, STORE_PARKED, STORE_RETRY, STORE_REFUSED};

    (void)state;
    script.trouble = true;
    begin(4, 4);
    for (unsigned i = 0; i < 8; i++) {
        script.all = ends[i % 4];
        pass(i % 3 * USEC_PER_HOUR);
        script.all = STORE_DONE;
        assert_int_equal(capture(NEWEST(20 + i), BYTES, NULL), 0);
        script.all = ends[i % 4];
        pass(USEC_PER_HOUR);
    }
    script.all = STORE_DONE;
    pass(5 * USEC_PER_MIN);
    assert_int_equal(stats_now().aside_files, 0);
    assert_int_equal(stats_now().archive_files, 12);
}

static void test_parked_single(void **state)
{
    (void)state;
    script.all = STORE_PARKED;
    begin(1, 1);
    pass(USEC_PER_DAY);
    assert_int_equal(stats_now().aside_files, 0);
    assert_true(up.store->n_puts >= 24 * 12 && up.store->n_puts < 24 * 15);
    assert_int_equal(times_logged("fail: "), 4); /* recalled */
    script.all = STORE_DONE;
    pass(5 * USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 1);
}

static void test_refused(void **state)
{
    (void)state;
    script.poison = "0930";
    script.poisoned = STORE_REFUSED;
    begin(2, 6);
    pass(USEC_PER_HOUR);
    assert_int_equal(stats_now().archive_files, 5);
    assert_int_equal(stats_now().aside_files, 1);
    assert_int_equal(breaker(), BREAKER_CLOSED);
    assert_int_equal(times_logged("fake://store does not take " DAY "093053-4711.trace: the store"
                                  " says refused; it stays in pending/"),
                     1);
    assert_int_equal(upload_stats().ends[STORE_REFUSED], 1);
    upload_set(2, true); /* a reload offers it again */
    pass(0);
    assert_int_equal(stats_now().archive_files, 6);
    assert_int_equal(stats_now().aside_files, 0);
}

static void test_refused_record(void **state)
{
    (void)state;
    script.poison = ".json";
    script.poisoned = STORE_REFUSED;
    begin(1, 1);
    pass(USEC_PER_HOUR);
    assert_int_equal(up.store->n_puts, 3);
    assert_int_equal(stats_now().aside_files, 1);
    assert_int_equal(upload_stats().ends[STORE_DONE], 0);
}

/* A store that refuses everything is broken, not each of the traces. */
static void test_all_refused(void **state)
{
    (void)state;
    script.all = STORE_REFUSED;
    begin(1, 20);
    pass(USEC_PER_MIN);
    assert_int_equal(breaker(), BREAKER_PARKED);
    assert_int_equal(up.store->n_puts, 6);
    assert_int_equal(stats_now().aside_files, 5);
    assert_true(logged("fake://store refused 5 traces in a row, the last one so: the store says"));
    pass(12 * USEC_PER_HOUR);
    assert_int_equal(stats_now().aside_files, 5);
    assert_true(up.store->n_puts < 12 * 15);
    script.all = STORE_DONE;
    pass(5 * USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 20); /* also those five */
    assert_int_equal(stats_now().pending_files, 0);
}

/* Five that are truly bad: the next good one shows it, and they are not asked about for ever. */
static void test_five_refused(void **state)
{
    (void)state;
    script.poison = "093";
    script.poisoned = STORE_REFUSED;
    begin(1, 9); /* 0926 to 0934 */
    pass(10 * USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 4);
    assert_int_equal(stats_now().aside_files, 5);
    assert_int_equal(breaker(), BREAKER_CLOSED);
    assert_int_equal(capture(NEWEST(20), BYTES, NULL), 0);
    pass(USEC_PER_DAY);
    assert_int_equal(stats_now().archive_files, 5);
    assert_true(up.store->n_puts <= 1 + 10 + 10);
}

static void test_changed(void **state)
{
    (void)state;
    script.poison = "093053";
    script.poisoned = STORE_CHANGED;
    begin(2, 6);
    pass(USEC_PER_HOUR);
    assert_int_equal(stats_now().archive_files, 5);
    assert_int_equal(stats_now().aside_files, 1);
    assert_true(logged(DAY "093053-4711.trace is not what was captured, and is not uploaded"));
}

/* What the store has and the archive cannot take is not sent again every ten minutes. */
static void test_cannot_settle(void **state)
{
    (void)state;
    begin(2, 3);
    make_file("archive/checkout", "in the way");
    pass(USEC_PER_DAY);
    assert_int_equal(stats_now().pending_files, 3);
    assert_int_equal(up.store->n_puts, 1 + 2 * 3);
    assert_true(logged("was uploaded, but cannot be moved to archive from"));
    assert_int_equal(unlink(below("archive/checkout")), 0);
    pass(11 * USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 3);
    assert_int_equal(up.store->n_puts, 1 + 2 * 3);
    check_whole(true);
}

/* Another store does not have it. */
static void test_cannot_settle_then_set(void **state)
{
    (void)state;
    begin(1, 1);
    make_file("archive/checkout", "in the way");
    pass(USEC_PER_HOUR);
    assert_int_equal(unlink(below("archive/checkout")), 0);
    upload_set(1, true);
    upload_run();
    assert_int_equal(up.store->n_puts, 1 + 2);
    assert_int_equal(stats_now().archive_files, 1);
}

static void test_local(void **state)
{
    (void)state;
    script.poison = "093053-4711.trace";
    script.poisoned = STORE_LOCAL;
    script.first = 2;
    begin(1, 5);
    pass(2 * USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 5);
    assert_int_equal(breaker(), BREAKER_CLOSED);
    assert_int_equal(times_logged("amiss"), 0); /* with this file only */
    assert_int_equal(upload_stats().ends[STORE_LOCAL], 2);
    for (unsigned i = 1; i < 3; i++) {
        script.all = STORE_LOCAL;
        fake_forget(up.store);
        assert_int_equal(capture(NEWEST(9 + i), BYTES, NULL), 0);
        pass(USEC_PER_HOUR);
        assert_true(up.store->n_puts < 60);
        assert_int_equal(times_logged("something is amiss on this machine: the store says"), i);
        script.all = STORE_DONE;
        pass(6 * USEC_PER_MIN);
        assert_int_equal(times_logged("uploads to fake://store go on"), i);
        assert_int_equal(stats_now().pending_files, 0);
    }
}

static void test_shortages(void **state)
{
    (void)state;
    begin(2, 3);
    inject("openat", 1, EMFILE);
    injection.all = true;
    pass(5 * USEC_PER_SEC);
    assert_int_equal(up.store->n_puts, 1);
    assert_true(logged("something is amiss on this machine: Too many open files"));
    pass(10 * USEC_PER_MIN);
    assert_true(injection.count < 60);
    inject_nothing();
    up.store->no_memory = true;
    pass(2 * USEC_PER_MIN);
    assert_int_equal(up.store->n_puts, 1);
    up.store->no_memory = false;
    pass(USEC_PER_MIN + USEC_PER_SEC);
    assert_int_equal(stats_now().archive_files, 3);
    assert_int_equal(times_logged("amiss"), 1);
}

static void probe_fails(enum store_end end, enum breaker_state expected, const char *line)
{
    script.all = end;
    script.probe_too = true;
    begin(4, 3);
    assert_true(fake_release(up.store));
    assert_int_equal(breaker(), expected);
    assert_int_equal(up.store->n_puts, 1);
    assert_true(logged(line));
    script.all = STORE_DONE;
    pass(5 * USEC_PER_MIN);
    assert_int_equal(stats_now().archive_files, 3);
    assert_true(logged("uploads to fake://store work again; 3 traces wait"));
}

static void test_probe_retry(void **state)
{
    (void)state;
    probe_fails(STORE_RETRY, BREAKER_OPEN,
                "uploads to fake://store will not work: the store says retry; this is tried");
}

static void test_probe_parked(void **state)
{
    (void)state;
    probe_fails(STORE_PARKED, BREAKER_PARKED,
                "uploads to fake://store will not work: the store says parked; this needs");
}

static void test_probe_refused(void **state)
{
    (void)state;
    script.all = STORE_REFUSED;
    script.probe_too = true;
    begin(4, 3);
    assert_true(fake_release(up.store));
    script.all = STORE_DONE;
    pass(0);
    assert_true(logged("fake://store answers, but did not take the write probe"));
    assert_int_equal(stats_now().archive_files, 3);
}

/* Nothing wakes the process while nothing is pending, however ill the store is. */
static void test_quiet(void **state)
{
    (void)state;
    script.all = STORE_RETRY;
    script.probe_too = true;
    begin(4, 0);
    pass(0);
    assert_int_equal(breaker(), BREAKER_OPEN);
    (void)virtual_wakes();
    pass(USEC_PER_DAY);
    assert_int_equal(virtual_wakes(), 0);
    assert_int_equal(up.store->n_puts, 1);
    script.all = STORE_DONE;
    capture_many(1, BYTES); /* is the probe, at once */
    upload_run();
    assert_int_equal(stats_now().archive_files, 1);
}

/* What the old store says of what was in flight is nothing to the new one. */
static void old_store(enum store_end end)
{
    struct fake_store *old;

    script.all = end;
    script.trouble = true;
    script.retry_after = USEC_PER_HOUR;
    begin(2, 2);
    assert_true(fake_release(up.store));
    old = up.store;
    old->hold = true;
    upload_run();
    assert_int_equal(old->under_way, 2);
    upload_set(2, true);
    upload_run();
    assert_int_equal(up.store->n_puts, 1);
    assert_true(fake_release(old));
    assert_int_equal(breaker(), BREAKER_CLOSED);
    assert_true(fake_release(old));
    pass(0);
    assert_int_equal(stats_now().archive_files, 2);
    assert_int_equal(up.store->n_puts, 5);
    assert_int_equal(up.freed, 1);
}

static void test_old_retry(void **state)
{
    (void)state;
    old_store(STORE_RETRY);
}

static void test_old_parked(void **state)
{
    (void)state;
    old_store(STORE_PARKED);
}

static void test_old_refused(void **state)
{
    (void)state;
    old_store(STORE_REFUSED);
}

static void test_old_local(void **state)
{
    (void)state;
    old_store(STORE_LOCAL);
}

static void test_drain_in_trouble(void **state)
{
    (void)state;
    script.all = STORE_RETRY;
    script.trouble = true;
    begin(2, 4);
    pass(USEC_PER_MIN);
    assert_int_equal(breaker(), BREAKER_OPEN);
    uploader_drain(up.uploader);
    assert_true(uploader_idle(up.uploader));
    assert_int_equal(stats_now().pending_files, 4);
    (void)virtual_wakes();
    script.all = STORE_DONE;
    pass(USEC_PER_HOUR);
    assert_int_equal(stats_now().pending_files, 4); /* nothing is begun */
}

/* One stumble of a store that is well is waited for. */
static void test_drain_stumble(void **state)
{
    (void)state;
    script.poison = ".trace";
    script.poisoned = STORE_RETRY;
    script.trouble = true;
    script.first = 1;
    begin(1, 1);
    uploader_drain(up.uploader);
    upload_run();
    assert_int_equal(up.store->n_puts, 2);
    assert_false(uploader_idle(up.uploader));
    pass(2 * USEC_PER_SEC);
    assert_true(uploader_idle(up.uploader));
    assert_int_equal(stats_now().pending_files, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, upload_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_try_again),
        TEST(test_trouble_opens),
        TEST(test_poison_trouble),
        TEST(test_poison_alone),
        TEST(test_retry_after),
        TEST(test_parked),
        TEST(test_poison_parked),
        TEST(test_flapping),
        TEST(test_innocent),
        TEST(test_parked_single),
        TEST(test_refused),
        TEST(test_refused_record),
        TEST(test_all_refused),
        TEST(test_five_refused),
        TEST(test_changed),
        TEST(test_cannot_settle),
        TEST(test_cannot_settle_then_set),
        TEST(test_local),
        TEST(test_shortages),
        TEST(test_probe_retry),
        TEST(test_probe_parked),
        TEST(test_probe_refused),
        TEST(test_quiet),
        TEST(test_old_retry),
        TEST(test_old_parked),
        TEST(test_old_refused),
        TEST(test_old_local),
        TEST(test_drain_in_trouble),
        TEST(test_drain_stumble),
    };

    return cmocka_run_group_tests_name("uploader_ends", tests, NULL, NULL);
}
