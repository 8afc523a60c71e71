/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is kept, as a person sees it: pages and filters, labels of this run and those of an earlier
 * one, and a listing while traces come, go and move.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "lib/spool/kept.h"
#include "lib/spool/spool_state.h"

#define MANY 150 /* more than are read by one job */

static const struct spool_query everything = {.until = USEC_NEVER, .limit = SPOOL_LIST_MAX};

/* A page, copied. */
static struct {
    unsigned times;
    int r;
    size_t n;
    uint64_t total;
    bool more;
    char keys[SPOOL_LIST_MAX][NAME_KEY_MAX];
    char labels[SPOOL_LIST_MAX][64];
    uint64_t bytes[SPOOL_LIST_MAX];
    bool pending[SPOOL_LIST_MAX];
    double latency[SPOOL_LIST_MAX];
    double covered[SPOOL_LIST_MAX];
    char incidents[SPOOL_LIST_MAX][NAME_KEY_MAX];
} page;

static void on_listed(void *userdata, int r, const struct spool_page *p)
{
    (void)userdata;
    page.times++;
    page.r = r;
    page.n = p->n;
    page.total = p->total;
    page.more = p->more;
    for (size_t i = 0; i < p->n; i++) {
        const struct spool_entry *e = &p->entries[i];

        (void)snprintf(page.keys[i], sizeof(page.keys[i]), "%s", e->key);
        (void)snprintf(page.labels[i], sizeof(page.labels[i]), "%s", e->label ? e->label : "-");
        page.bytes[i] = e->bytes;
        page.pending[i] = e->pending;
        page.latency[i] = e->latency;
        page.covered[i] = e->covered;
        (void)snprintf(page.incidents[i], NAME_KEY_MAX, "%s", e->incident ? e->incident : "-");
    }
}

static struct spool_list *begin(const struct spool_query *query)
{
    struct spool_list *l = NULL;

    memset(&page, 0, sizeof(page));
    assert_int_equal(spool_list(fx.spool, query, on_listed, NULL, &l), 0);
    assert_int_equal(page.times, 0);
    return l;
}

static int list_ends(const struct spool_query *query)
{
    (void)begin(query);
    for (unsigned i = 0; i < 1000 && page.times == 0; i++)
        assert_true(sd_event_run(fx.event, UINT64_MAX) > 0);
    assert_int_equal(page.times, 1);
    return page.r;
}

static void list(const struct spool_query *query)
{
    assert_int_equal(list_ends(query), 0);
}

static void put(const char *service, const char *host, usec time, uint64_t bytes,
                const char *record)
{
    struct spool_file *f = written_file(bytes);
    struct told told = {0};
    struct name name;

    name_init(&name, service, host, time, 7);
    spool_file_publish(f, &name, bytes, record, on_published, &told);
    fixture_settle();
    assert_int_equal(told.r, 0);
}

/* Eight traces a second apart, of two services on two hosts, with records as they are labelled. */
static void put_eight(void)
{
    for (unsigned i = 0; i < 8; i++) {
        char record[200];

        (void)snprintf(record, sizeof(record),
                       "{\"label\": \"%s\", \"summary\": {\"scheduler\": {\"latency\": "
                       "{\"p99_ns\": %u}}}}",
                       i < 4 ? "idle" : "gc-pressure", 1000 * i);
        put(i % 2 ? "cart" : "checkout", i % 4 < 2 ? "a" : "b", START + i * USEC_PER_SEC, 5000 + i,
            record);
    }
}

/* Two incidents began in one second, of two processes of one service; every third trace is of none. */
static void test_incidents(void **state)
{
    static const char *const ids[] = {"checkout/a/20260314/092653-7",
                                      "checkout/a/20260314/092653-8"};
    struct spool_query query = everything;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    for (unsigned i = 0; i < 3 * MANY; i++) {
        char record[200] = "{\"label\": \"idle\"}";

        if (i % 3 < 2)
            (void)snprintf(record, sizeof(record), "{\"incident\": \"%s\"}", ids[i % 3]);
        put("checkout", "a", START + i * USEC_PER_SEC, 4096, record);
    }
    list(&query);
    assert_int_equal(page.n, 3 * MANY);
    for (size_t i = 0; i < page.n; i++) {
        size_t from = (page.n - 1 - i) % 3;

        assert_string_equal(page.incidents[i], from < 2 ? ids[from] : "-");
    }
    query.limit = 10;
    list(&query);
    assert_int_equal(page.n, 10);
    assert_string_equal(page.incidents[8], ids[(3 * MANY - 1 - 8) % 3]);
    for (size_t k = 0; k < 2; k++) {
        char before[NAME_KEY_MAX];

        query = everything;
        query.incident = ids[k];
        list(&query);
        assert_int_equal(page.n, MANY);
        assert_int_equal(page.total, MANY);
        for (size_t i = 0; i < page.n; i++)
            assert_string_equal(page.incidents[i], ids[k]);
        (void)snprintf(before, sizeof(before), "%s", page.keys[MANY - 4]);
        query.before = before;
        query.limit = 2;
        list(&query);
        assert_int_equal(page.n, 2);
        assert_int_equal(page.total, MANY);
        assert_true(page.more);
    }
    query = everything;
    query.incident = "checkout/a/20260314/092653-9";
    list(&query);
    assert_int_equal(page.total, 0);
    query.incident = ids[0];
    query.label = "idle";
    list(&query);
    assert_int_equal(page.total, 0);
}

/* All that belongs to any incident, page by page, whether the records have been read or not. */
static void test_any_incident(void **state)
{
    struct spool_query query = everything;
    char before[NAME_KEY_MAX];
    unsigned found = 0;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    for (unsigned i = 0; i < 3 * MANY; i++) {
        char record[200] = "{\"label\": \"idle\"}";

        if (i % 3 > 0)
            (void)snprintf(record, sizeof(record),
                           "{\"label\": \"%s\", \"incident\": \"checkout/a/20260314/092653-%u\"}",
                           i % 3 == 1 ? "idle" : "gc-pressure", i);
        put("checkout", "a", START + i * USEC_PER_SEC, 4096, record);
    }
    for (unsigned round = 0; round < 2; round++) {
        query = everything;
        query.incident = "*";
        query.limit = MANY / 2;
        for (found = 0;; query.before = before) {
            list(&query);
            assert_int_equal(page.total, 2 * MANY);
            for (size_t i = 0; i < page.n; i++)
                assert_string_not_equal(page.incidents[i], "-");
            found += (unsigned)page.n;
            if (!page.more)
                break;
            (void)snprintf(before, sizeof(before), "%s", page.keys[page.n - 1]);
        }
        assert_int_equal(found, 2 * MANY);
        fixture_restart(); /* the last page is what is asked for first */
        query.label = "gc-pressure";
        list(&query);
        assert_int_equal(page.total, MANY);
        assert_true(page.n > 0);
        for (size_t i = 0; i < page.n; i++)
            assert_string_not_equal(page.incidents[i], "-");
        fixture_restart();
    }
}

static void test_newest_first(void **state)
{
    struct spool_query query = everything;
    char last[NAME_KEY_MAX];

    (void)state;
    assert_int_equal(fixture_start(), 0);
    list(&query);
    assert_int_equal(page.n, 0);
    assert_int_equal(page.total, 0);
    assert_false(page.more);
    put_eight();
    query.limit = 3;
    list(&query);
    assert_int_equal(page.n, 3);
    assert_int_equal(page.total, 8);
    assert_true(page.more);
    assert_string_equal(page.keys[0], "cart/b/20260314/092700-7.trace");
    assert_string_equal(page.keys[2], "cart/a/20260314/092658-7.trace");
    assert_int_equal(page.bytes[0], 5007);
    assert_false(page.pending[0]);
    (void)strcpy(last, page.keys[2]);
    query.before = last;
    query.limit = 5;
    list(&query);
    assert_int_equal(page.n, 5);
    assert_int_equal(page.total, 8);
    assert_false(page.more);
    assert_string_equal(page.keys[0], "checkout/a/20260314/092657-7.trace");
    assert_string_equal(page.keys[4], "checkout/a/20260314/092653-7.trace");
    (void)strcpy(last, page.keys[4]);
    list(&query);
    assert_int_equal(page.n, 0);
    assert_false(page.more);
}

static void test_filters(void **state)
{
    struct spool_query query = everything;
    struct spool_list *l;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    put_eight();
    query.service = "cart";
    list(&query);
    assert_int_equal(page.total, 4);
    query.host = "a";
    list(&query);
    assert_int_equal(page.total, 2);
    assert_string_equal(page.keys[1], "cart/a/20260314/092654-7.trace");
    query.service = NULL;
    list(&query);
    assert_int_equal(page.total, 4);
    query.service = "car"; /* not a prefix */
    list(&query);
    assert_int_equal(page.total, 0);
    query = everything;
    query.since = START + 2 * USEC_PER_SEC;
    query.until = START + 5 * USEC_PER_SEC;
    list(&query);
    assert_int_equal(page.total, 3);
    assert_string_equal(page.keys[0], "checkout/a/20260314/092657-7.trace");
    query.host = "b";
    query.limit = 1;
    list(&query);
    assert_int_equal(page.total, 2);
    assert_int_equal(page.n, 1);
    assert_true(page.more);
    query.until = query.since;
    list(&query);
    assert_int_equal(page.total, 0);
    query.before = "../../etc/passwd";
    assert_int_equal(spool_list(fx.spool, &query, on_listed, NULL, &l), -EINVAL);
}

/* Neither a new record nor one that is amended is read again. */
static void test_labels_of_this_run(void **state)
{
    struct spool_query query = everything;
    const struct record_amendment what = {
        .label = "lock-contention", .summary = "{}", .latency = 12345, .covered = 0.999};

    (void)state;
    assert_int_equal(fixture_start(), 0);
    put("cart", "a", START, 5000, "{\"label\": \"told-at-once\"}");
    put("cart", "a", START + USEC_PER_SEC, 5000, "{}");
    list(&query);
    assert_string_equal(page.labels[0], "-");
    assert_string_equal(page.labels[1], "told-at-once");
    assert_true(page.latency[0] < 0);
    assert_int_equal(spool_amend(fx.spool, page.keys[0], &what, NULL, NULL), 0);
    fixture_settle();
    list(&query);
    assert_string_equal(page.labels[0], "lock-contention");
    assert_true(page.latency[0] == 12345);
    assert_true(page.covered[0] > 0.99 && page.covered[0] < 1);
    assert_true(page.covered[1] < 0);
    assert_string_equal(page.labels[1], "told-at-once");
    query.label = "lock-contention";
    list(&query);
    assert_int_equal(page.total, 1);
    query.label = "told-at-once";
    list(&query);
    assert_int_equal(page.total, 1);
    assert_string_equal(page.keys[0], "cart/a/20260314/092653-7.trace");
    query.label = "";
    list(&query);
    assert_int_equal(page.total, 0);
    query.label = "no-such-label";
    list(&query);
    assert_int_equal(page.total, 0);
}

static void test_labels_of_an_earlier_run(void **state)
{
    struct spool_query query = everything;

    (void)state;
    start_uploading();
    put_eight();
    put("odd", "a", START + USEC_PER_MIN, 5000, "no json");
    put("odd", "b", START + USEC_PER_MIN, 5000, "{\"label\": \"Not A Label\"}");
    put("odd", "c", START + USEC_PER_MIN, 5000, "{}");
    assert_int_equal(unlink(below("pending/odd/c/20260314/092753-7.json")), 0);
    fixture_restart();
    query.limit = 5;
    list(&query);
    assert_string_equal(page.labels[0], "-");
    assert_string_equal(page.labels[1], "-");
    assert_string_equal(page.labels[2], "-");
    assert_string_equal(page.labels[3], "gc-pressure");
    assert_true(page.latency[3] == 7000);
    assert_int_equal(page.bytes[3], 5007);
    assert_true(page.pending[3]);
    assert_false(index_items(&fx.spool->items.index)[0].annotated); /* not needed yet */
    query.label = "idle";
    list(&query);
    assert_int_equal(page.total, 4);
    assert_string_equal(page.keys[0], "cart/b/20260314/092656-7.trace");
    /* It is kept: what becomes of the files does not matter any more. */
    assert_int_equal(unlink(below("pending/cart/b/20260314/092656-7.json")), 0);
    list(&query);
    assert_int_equal(page.total, 4);
}

static void test_many_records(void **state)
{
    struct spool_query query = everything;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    for (unsigned i = 0; i < MANY; i++)
        put("cart", "a", START + i * USEC_PER_SEC, 5000,
            i % 3 ? "{\"label\": \"idle\"}" : "{\"label\": \"healthy\"}");
    fixture_restart();
    query.label = "healthy";
    query.limit = 10;
    list(&query);
    assert_int_equal(page.total, MANY / 3);
    assert_int_equal(page.n, 10);
    assert_true(page.more);
    fixture_restart();
    query.label = NULL;
    query.limit = MANY - 1;
    list(&query);
    assert_int_equal(page.n, MANY - 1);
    for (size_t i = 0; i < page.n; i++)
        assert_string_equal(page.labels[i], (MANY - 1 - i) % 3 ? "idle" : "healthy");
    assert_false(index_items(&fx.spool->items.index)[0].annotated);
}

/* The record is read where it is by then; what retention took meanwhile is not listed. */
static void test_moved_and_gone(void **state)
{
    struct spool_query query = everything;
    struct spool_item *item;

    (void)state;
    start_uploading();
    put_eight();
    fixture_restart();
    (void)begin(&query);
    assert_true(sd_event_run(fx.event, 0) >= 0);
    item = taken();
    assert_non_null(item);
    assert_int_equal(archive(item, true), 0);
    item = taken();
    assert_int_equal(archive(item, false), 0);
    while (page.times == 0)
        assert_true(sd_event_run(fx.event, UINT64_MAX) > 0);
    list(&query);
    assert_int_equal(page.n, 7);
    assert_false(page.pending[0]);
    assert_string_equal(page.labels[0], "gc-pressure");
    assert_true(page.pending[1]);
}

/* While a trace is settled its files stand in the other directory before the index says so. */
static void test_files_elsewhere(void **state)
{
    struct spool_query query = everything;
    char from[700];
    int fd = -1;

    (void)state;
    start_uploading();
    put("cart", "a", START, 5000, "{\"label\": \"healthy\"}");
    fixture_restart();
    make_dirs("archive/cart/a/20260314");
    (void)snprintf(from, sizeof(from), "%s", below("pending/cart/a/20260314/092653-7.trace"));
    assert_int_equal(rename(from, below("archive/cart/a/20260314/092653-7.trace")), 0);
    assert_int_equal(spool_open(fx.spool, "cart/a/20260314/092653-7.trace", &fd), 0);
    (void)close(fd);
    (void)snprintf(from, sizeof(from), "%s", below("pending/cart/a/20260314/092653-7.json"));
    assert_int_equal(rename(from, below("archive/cart/a/20260314/092653-7.json")), 0);
    list(&query);
    assert_string_equal(page.labels[0], "healthy");
}

/* An amendment that overtakes the reading of the old record counts. */
static void test_amended_meanwhile(void **state)
{
    struct spool_query query = everything;
    const struct record_amendment what = {.label = "idle", .summary = "{}", .latency = 5};

    (void)state;
    assert_int_equal(fixture_start(), 0);
    put("cart", "a", START, 5000, "{\"label\": \"healthy\"}");
    fixture_restart();
    assert_int_equal(spool_amend(fx.spool, "cart/a/20260314/092653-7.trace", &what, NULL, NULL), 0);
    list(&query);
    fixture_settle();
    list(&query);
    assert_string_equal(page.labels[0], "idle");
    assert_true(page.latency[0] == 5);

    fixture_restart();
    (void)begin(&query);
    while (!spool_busy(fx.spool)) /* until the old record is being read */
        assert_true(sd_event_run(fx.event, 0) >= 0);
    index_annotate(&fx.spool->items.index, 0,
                   &(struct record_annotation){.label = "gc-pressure", .latency = 7, .covered = 1});
    while (page.times == 0)
        assert_true(sd_event_run(fx.event, UINT64_MAX) > 0);
    assert_string_equal(page.labels[0], "gc-pressure");
}

static void test_forgotten(void **state)
{
    struct spool_query query = everything;
    struct spool_list *l;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    put_eight();
    fixture_restart();
    l = begin(&query);
    spool_list_forget(l);
    l = begin(&query);
    assert_true(sd_event_run(fx.event, 0) >= 0);
    assert_true(sd_event_run(fx.event, 0) >= 0);
    spool_list_forget(l);
    for (unsigned i = 0; i < 20; i++)
        assert_true(sd_event_run(fx.event, 10 * USEC_PER_MSEC) >= 0);
    assert_int_equal(page.times, 0);
    /* And what is under way or has not begun when the spool goes is freed with it. */
    (void)begin(&query);
    assert_true(sd_event_run(fx.event, 0) >= 0);
    (void)begin(&query);
    spool_free(fx.spool);
    fx.spool = NULL;
    for (unsigned i = 0; i < 20; i++)
        assert_true(sd_event_run(fx.event, 10 * USEC_PER_MSEC) >= 0);
    assert_int_equal(page.times, 0);
}

/* That there are no descriptors left says nothing of a record; that it cannot be opened does. */
static void test_unreadable(void **state)
{
    struct spool_query query = everything;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    put("cart", "a", START, 5000, "{\"label\": \"healthy\"}");
    fixture_restart();
    /* What cannot be read only now leaves no gap: the answer is an error, and the next one whole. */
    inject("openat", 1, EMFILE);
    assert_int_equal(list_ends(&query), -EMFILE);
    inject_nothing();
    assert_int_equal(page.n, 0);
    list(&query);
    assert_int_equal(page.n, 1);
    assert_string_equal(page.labels[0], "healthy");
    fixture_restart();
    inject("openat", 1, EIO);
    list(&query);
    inject_nothing();
    assert_string_equal(page.labels[0], "-");
    list(&query);
    assert_string_equal(page.labels[0], "-");
}

static void test_open_record(void **state)
{
    const char *const refused[] = {"", "../x", "cart/a/20260314/092653-7.json", "nobody",
                                   "cart/a/20260314/../20260314/092653-7.trace"};
    struct buf text;
    int fd = -1;

    (void)state;
    assert_int_equal(fixture_start(), 0);
    put("cart", "a", START, 5000, "{\"label\": \"healthy\"}");
    assert_int_equal(spool_open_record(fx.spool, "cart/a/20260314/092653-7.trace", &fd), 0);
    buf_init(&text, 100);
    assert_int_equal(buf_read_fd(&text, fd), 0);
    assert_string_equal(buf_str(&text), "{\"label\": \"healthy\"}");
    buf_done(&text);
    (void)close(fd);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_equal(spool_open_record(fx.spool, refused[i], &fd), -ENOENT);
        assert_int_equal(spool_open(fx.spool, refused[i], &fd), -ENOENT);
    }
}

/* The index is what grows with the history. */
static void test_size(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct retention_item), 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newest_first),       TEST(test_incidents),
        TEST(test_any_incident),       TEST(test_filters),
        TEST(test_labels_of_this_run), TEST(test_labels_of_an_earlier_run),
        TEST(test_many_records),       TEST(test_moved_and_gone),
        TEST(test_files_elsewhere),    TEST(test_amended_meanwhile),
        TEST(test_forgotten),          TEST(test_unreadable),
        TEST(test_open_record),        cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
