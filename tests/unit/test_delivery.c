/* SPDX-License-Identifier: Apache-2.0 */

/* One trace on its way, from a spool on a real directory to a store that a test scripts. */

#include "tests/support/fake_store.h"
#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <string.h>

#include "base/filehash.h"
#include "daemon/ship/delivery.h"

#define BYTES 100

static struct world {
    struct fake_store *store;
    struct spool_item *item;
    struct delivery delivery;
    unsigned told;
    struct store_result result;
} w;

static void on_done(struct delivery *d, const struct store_result *result)
{
    assert_ptr_equal(d, &w.delivery);
    assert_ptr_equal(d->item, w.item);
    w.told++;
    w.result = *result;
}

/* A trace in pending/, taken, and an empty store. `sha256`: the record tells the hash. */
static void prepare(bool sha256)
{
    static const char trace[BYTES] = "go 1.26 trace";
    static char hash[FILEHASH_SIZE];

    assert_int_equal(filehash_memory(trace, BYTES, hash), 0);
    fx.sha256 = sha256 ? hash : NULL;
    start_uploading();
    capture_many(1, BYTES);
    w.item = taken();
    assert_non_null(w.item);
    w.store = fake_store_new(fx.event);
}

static int start(void)
{
    return delivery_start(&w.delivery, &w.store->store, fx.disk, w.item, on_done);
}

static void run(void)
{
    while (w.told == 0)
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
}

static int setup(void **state)
{
    memset(&w, 0, sizeof(w));
    return fixture_setup(state);
}

static int teardown(void **state)
{
    spool_item_return(w.item);
    store_free(&w.store->store);
    fixture_stop();
    return fixture_teardown(state);
}

static void assert_ended(enum store_end end, size_t puts)
{
    assert_int_equal(w.told, 1);
    assert_int_equal(w.result.end, end);
    assert_int_equal(w.store->n_puts, puts);
    assert_null(w.delivery.call);
    assert_null(w.delivery.hashing);
}

static void test_trace_then_record(void **state)
{
    char record[NAME_KEY_MAX];

    (void)state;
    prepare(false);
    assert_int_equal(start(), 0);
    assert_int_equal(w.told, 0);
    run();
    assert_ended(STORE_DONE, 2);
    assert_string_equal(w.store->puts[0].key, spool_item_key(w.item));
    assert_int_equal(w.store->puts[0].size, BYTES);
    assert_string_equal(w.store->puts[1].key, name_record_key(spool_item_key(w.item), record));
    assert_int_equal(w.store->puts[1].size, spool_item_record(w.item)->len);
    /* What both say of themselves. */
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(strncmp(w.store->puts[i].meta, "service=", 8), 0);
        assert_non_null(strstr(w.store->puts[i].meta, " sha256="));
    }
    assert_non_null(strstr(w.store->puts[0].meta, " start="));
    assert_null(strstr(w.store->puts[1].meta, " start="));
}

/* Then the trace is not read before it is sent. */
static void test_the_record_tells_the_hash(void **state)
{
    (void)state;
    prepare(true);
    assert_int_equal(start(), 0);
    assert_null(w.delivery.hashing);
    assert_int_equal(w.store->n_puts, 1);
    run();
    assert_ended(STORE_DONE, 2);
}

static void refuse_trace(struct fake_store *f, const struct store_object *object, unsigned nth,
                         struct store_result *ret)
{
    (void)f, (void)nth;
    if (object->fd >= 0)
        *ret = (struct store_result){.end = STORE_REFUSED, .text = "no"};
}

static void refuse_record(struct fake_store *f, const struct store_object *object, unsigned nth,
                          struct store_result *ret)
{
    (void)f, (void)nth;
    if (object->data)
        *ret = (struct store_result){.end = STORE_RETRY, .text = "later"};
}

static void test_trace_is_refused(void **state)
{
    (void)state;
    prepare(true);
    w.store->answer = refuse_trace;
    assert_int_equal(start(), 0);
    run();
    assert_ended(STORE_REFUSED, 1);
    assert_string_equal(w.result.text, "no");
}

static void test_record_is_refused(void **state)
{
    (void)state;
    prepare(true);
    w.store->answer = refuse_record;
    assert_int_equal(start(), 0);
    run();
    assert_ended(STORE_RETRY, 2);
    assert_string_equal(w.result.text, "later");
}

static void test_nothing_has_begun(void **state)
{
    (void)state;
    prepare(true);
    w.store->no_memory = true;
    assert_int_equal(start(), -ENOMEM);
    assert_int_equal(w.told, 0);
    assert_null(w.delivery.call);
}

static void lose_memory(struct fake_store *f, const struct store_object *object, unsigned nth,
                        struct store_result *ret)
{
    (void)object, (void)nth, (void)ret;
    f->no_memory = true;
}

static void test_no_memory_for_the_record(void **state)
{
    (void)state;
    prepare(true);
    w.store->answer = lose_memory;
    assert_int_equal(start(), 0);
    run();
    assert_ended(STORE_LOCAL, 1);
    assert_string_equal(w.result.text, "the record cannot be sent: Cannot allocate memory");
}

static void test_stopped_while_it_is_hashed(void **state)
{
    (void)state;
    prepare(false);
    assert_int_equal(start(), 0);
    assert_non_null(w.delivery.hashing);
    delivery_stop(&w.delivery);
    assert_null(w.delivery.hashing);
    assert_int_equal(w.told, 0);
    assert_int_equal(w.store->n_puts, 0);
}

static void test_stopped_while_it_is_sent(void **state)
{
    (void)state;
    prepare(true);
    w.store->hold = true;
    assert_int_equal(start(), 0);
    assert_non_null(w.delivery.call);
    delivery_stop(&w.delivery);
    assert_int_equal(w.store->cancelled, 1);
    assert_int_equal(w.told, 0);
    delivery_stop(&w.delivery); /* twice is fine */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_trace_then_record),          TEST(test_the_record_tells_the_hash),
        TEST(test_trace_is_refused),           TEST(test_record_is_refused),
        TEST(test_nothing_has_begun),          TEST(test_no_memory_for_the_record),
        TEST(test_stopped_while_it_is_hashed), TEST(test_stopped_while_it_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
