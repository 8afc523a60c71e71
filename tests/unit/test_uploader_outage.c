/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Long outages and large backlogs: nothing that was acknowledged is lost within the bounds, the
 * store is asked little, and all goes out soon after it is back.
 */

#include "tests/support/upload_fixture.h"
#include "tests/support/virtual_time.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BYTES 3000
#define OUTAGE (72 * USEC_PER_HOUR)
#define INTERVAL (5 * USEC_PER_MIN)
#define TARGETS 2
#define BACKLOG 10000
#define CONCURRENCY 4
/* Of what the fixture writes; the fake store would tell. */
#define SHA256 "f0b5ad12097f5b1e5a3f3d25e4c32beda06f61c016aea9d82473685044f5de5a"

static bool down;
static enum store_end how;

static void answer(struct fake_store *f, const struct store_object *object, unsigned nth,
                   struct store_result *ret)
{
    (void)f;
    (void)object;
    (void)nth;
    if (!down)
        return;
    ret->end = how;
    ret->trouble = how == STORE_RETRY;
    (void)snprintf(ret->text, sizeof(ret->text), "the store is away");
}

static usec real_now(void)
{
    uint64_t now = 0;

    assert_true(sd_event_now(fx.event, CLOCK_REALTIME, &now) >= 0);
    return now;
}

/* One capture of each target. */
static void capture_all(void)
{
    for (unsigned i = 0; i < TARGETS; i++)
        assert_int_equal(capture(real_now() + i * USEC_PER_SEC, BYTES, NULL), 0);
}

/* Days of captures while the store is away. Returns how often it was asked. */
static size_t outage(usec length)
{
    size_t before = up.store->n_puts;

    for (usec t = 0; t < length; t += INTERVAL) {
        capture_all();
        virtual_pass(INTERVAL, upload_run);
    }
    return up.store->n_puts - before;
}

/* The puts from `from` on are newest first, but for the probe and what was on its way. */
static void check_newest_first(size_t from)
{
    const char *last = NULL;
    unsigned wrong = 0;

    for (size_t i = from; i < up.store->n_puts; i++) {
        const char *key = up.store->puts[i].key;

        if (!strstr(key, ".trace"))
            continue;
        wrong += last && strcmp(key, last) > 0;
        last = key;
    }
    assert_true(wrong <= 1);
}

static void try_outage(enum store_end end, usec length, size_t most_a_minute, usec recovery)
{
    const size_t n = length / INTERVAL * TARGETS;
    size_t asked, before;

    /* Known, so that no disk thread decides who is the first of those that are in flight. */
    fx.sha256 = SHA256;
    upload_start_with(CONCURRENCY);
    up.store->answer = answer;
    how = end;
    down = true;
    asked = outage(length);
    print_message("asked %zu times in %u h, %d log lines\n", asked,
                  (unsigned)(length / USEC_PER_HOUR), n_log_lines);
    assert_true(asked <= length / USEC_PER_MIN * most_a_minute);
    assert_int_equal(stats_now().pending_files, n);
    assert_int_equal(stats_now().dropped_unsent, 0);
    assert_true(n_log_lines < 20);

    down = false;
    before = up.store->n_puts;
    virtual_pass(recovery, upload_run);
    assert_int_equal(stats_now().pending_files, 0);
    assert_int_equal(stats_now().archive_files, n);
    assert_int_equal(up.store->n_puts - before, 2 * n);
    check_newest_first(before + 2);
    assert_int_equal(times_logged("work again"), 1);
    assert_int_equal(virtual_next(), USEC_NEVER);
}

static void test_outage(void **state)
{
    (void)state;
    try_outage(STORE_RETRY, OUTAGE, 3, BREAKER_MOST + USEC_PER_SEC);
}

static void test_parked_outage(void **state)
{
    (void)state;
    try_outage(STORE_PARKED, OUTAGE / 6, 1, BREAKER_PARK + USEC_PER_SEC);
}

static void test_refusing_outage(void **state)
{
    (void)state;
    try_outage(STORE_REFUSED, OUTAGE / 6, 1, BREAKER_PARK + USEC_PER_SEC);
}

/* The bounds win over the backlog, loudly: what is dropped unsent is counted and named. */
static void test_bounded_outage(void **state)
{
    (void)state;
    fx.limits.max_files = 40;
    upload_start_with(CONCURRENCY);
    up.store->answer = answer;
    how = STORE_RETRY;
    down = true;
    (void)outage(2 * USEC_PER_HOUR); /* 48 captures */
    assert_true(stats_now().pending_files <= 40 && stats_now().pending_files >= 38);
    assert_int_equal(stats_now().dropped_unsent + stats_now().pending_files, 48);
    assert_int_equal(times_logged("before it was uploaded, for max_files"),
                     stats_now().dropped_unsent);
    down = false;
    virtual_pass(BREAKER_MOST + USEC_PER_SEC, upload_run);
    assert_int_equal(stats_now().pending_files, 0);
}

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_backlog(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char path[256];

        (void)snprintf(path, sizeof(path),
                       "pending/checkout/web-%u/202603%02u/%02u%02u%02u-4711.trace", i % 7,
                       1 + i / 2000, i / 3600 % 24, i / 60 % 60, i % 60);
        make_file(path, "trace");
    }
}

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void test_backlog(void **state)
{
    size_t before, after;
    double begin;

    (void)state;
    make_backlog(BACKLOG);
    fx.upload = true;
    before = allocated();
    upload_start();
    after = allocated();
    print_message("%.1f bytes for each of %d waiting files\n", (double)(after - before) / BACKLOG,
                  BACKLOG);
    /* An allocator other than glibc's, as under a sanitizer, tells nothing. */
    assert_true(after == before || after - before < (size_t)200 * BACKLOG);
    begin = seconds();
    upload_set(4, true);
    upload_run();
    print_message("uploaded in %.2f s\n", seconds() - begin);
    assert_int_equal(up.store->n_puts, BACKLOG + 1);
    assert_int_equal(up.store->most, 4);
    assert_int_equal(stats_now().archive_files, BACKLOG);
    assert_int_equal(stats_now().pending_files, 0);
}

/* A store in trouble costs no more for a large backlog than for a small one. */
static void test_backlog_in_trouble(void **state)
{
    double begin = seconds();

    (void)state;
    make_backlog(BACKLOG / 5);
    (void)virtual_wakes();
    upload_start();
    upload_set(16, true);
    up.store->answer = answer;
    how = STORE_RETRY;
    down = true;
    virtual_pass(USEC_PER_DAY, upload_run);
    print_message("a day of trouble: asked %zu times, %u wakes, %.2f s\n", up.store->n_puts,
                  virtual_wakes(), seconds() - begin);
    assert_true(up.store->n_puts < 3 * 24 * 60);
    assert_int_equal(stats_now().pending_files, BACKLOG / 5);
}

static int setup(void **state)
{
    down = false;
    return upload_setup(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, upload_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_backlog), /* first: the heap is still in order */
        TEST(test_outage),         TEST(test_parked_outage),      TEST(test_refusing_outage),
        TEST(test_bounded_outage), TEST(test_backlog_in_trouble),
    };

    return cmocka_run_group_tests_name("uploader_outage", tests, NULL, NULL);
}
