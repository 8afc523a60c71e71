/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/spool_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/spool/kept.h"

#define DAY "archive/checkout/web-1/20260314/"
#define KEY "checkout/web-1/20260314/"

static void assert_record(const char *key, const char *expected)
{
    char text[64] = "";
    int fd;

    assert_int_equal(spool_open_record(fx.spool, key, &fd), 0);
    assert_int_equal(read(fd, text, sizeof(text) - 1), (ssize_t)strlen(expected));
    assert_string_equal(text, expected);
    (void)close(fd);
}

/* A spool that was written before there was any artifact but traces. */
static void test_traces_alone(void **state)
{
    struct spool_stats stats;

    (void)state;
    make_file(DAY "092653.trace", "trace");
    make_file(DAY "092653.json", "{\"n\": 1}");
    make_file(DAY "092653-4711.trace", "trace");
    make_file(DAY "092653-4711.json", "{\"n\": 2}");
    make_file(DAY "092653-4711-1.trace", "trace");
    make_file(DAY "092653-4711-1.json", "{\"n\": 3}");
    make_file(DAY "092653-0-1.trace", "trace");
    make_file(DAY "092653-0-1.json", "{\"n\": 4}");
    make_file("pending/a.b/c.json/20260315/000001-7.trace", "trace");
    make_file("pending/a.b/c.json/20260315/000001-7.json", "{\"n\": 5}");
    fx.upload = true;
    assert_int_equal(fixture_start(), 0);
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.archive_files, 4);
    assert_int_equal(stats.archive_bytes, 8 * 4096);
    assert_int_equal(stats.pending_files, 1);
    assert_int_equal(stats.pending_bytes, 2 * 4096);
    assert_true(logged("0 records without a trace swept"));
    assert_false(logged("did not make"));
    assert_record(KEY "092653.trace", "{\"n\": 1}");
    assert_record(KEY "092653-4711.trace", "{\"n\": 2}");
    assert_record(KEY "092653-4711-1.trace", "{\"n\": 3}");
    assert_record(KEY "092653-0-1.trace", "{\"n\": 4}");
    assert_record("a.b/c.json/20260315/000001-7.trace", "{\"n\": 5}");
}

static void test_all_of_one_second(void **state)
{
    struct spool_stats stats;

    (void)state;
    make_file(DAY "092653-4711.trace", "trace");
    make_file(DAY "092653-4711.json", "{\"n\": 1}");
    make_file(DAY "092653-4711.mutex.pb.gz", "profile");
    make_file(DAY "092653-4711.mutex.pb.gz.json", "{\"n\": 2}");
    make_file(DAY "092653-4711.flight.trace", "recording");
    make_file(DAY "092653-4711.flight.trace.json", "{\"n\": 3}");
    make_file(DAY "092653-4711.heap.pb.gz", "no record");
    make_file(DAY "092653-4712.json", "orphan");
    make_file(DAY "092653-4711.block.pb.gz.json", "orphan");
    make_file(DAY "092653-4711.nothing.pb.gz", "foreign");
    make_file(DAY "092653-4711.trace.json", "foreign");
    assert_int_equal(fixture_start(), 0);
    spool_stats(fx.spool, &stats);
    assert_int_equal(stats.archive_files, 4);
    assert_int_equal(stats.archive_bytes, 7 * 4096);
    assert_true(logged("2 records without a trace swept"));
    assert_true(logged("2 things that contraced did not make"));
    assert_false(exists(DAY "092653-4712.json"));
    assert_false(exists(DAY "092653-4711.block.pb.gz.json"));
    assert_true(exists(DAY "092653-4711.nothing.pb.gz"));
    assert_true(exists(DAY "092653-4711.trace.json"));
    assert_record(KEY "092653-4711.trace", "{\"n\": 1}");
    assert_record(KEY "092653-4711.mutex.pb.gz", "{\"n\": 2}");
    assert_record(KEY "092653-4711.flight.trace", "{\"n\": 3}");
}

/* Each has its own sequence, and its record beside it. */
static void test_published_side_by_side(void **state)
{
    struct spool_file *a, *b;
    struct told told[3] = {{0}};
    struct name name;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    assert_int_equal(capture(START, 100, &told[0]), 0);
    name_init(&name, "checkout", "web-1", START, 4711);
    name.kind = KIND_MUTEX;
    a = written_file(10);
    spool_file_publish(a, &name, 10, "{\"n\": 2}", on_published, &told[1]);
    fixture_settle();
    b = written_file(10);
    spool_file_publish(b, &name, 10, "{\"n\": 3}", on_published, &told[2]);
    fixture_settle();
    assert_string_equal(told[0].key, KEY "092653-4711.trace");
    assert_string_equal(told[1].key, KEY "092653-4711.mutex.pb.gz");
    assert_string_equal(told[2].key, KEY "092653-4711-1.mutex.pb.gz");
    fixture_restart();
    assert_int_equal(stats_now().archive_files, 3);
    assert_record(KEY "092653-4711-1.mutex.pb.gz", "{\"n\": 3}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_traces_alone, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_all_of_one_second, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_published_side_by_side, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
