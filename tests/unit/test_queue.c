/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/spool_fixture.h"

#include <string.h>

#include "lib/spool/queue.h"

#define KEY(minute) "checkout/web-1/20260314/09" minute "53-4711.trace"
#define HOLD (30 * USEC_PER_SEC)

/* The queue on nothing but the layers below: there are no files. */
static struct core core;
static struct reserved reserved;
static struct items items;
static struct queue queue;
static unsigned times_told;

static void on_offer(void *userdata)
{
    assert_ptr_equal(userdata, &times_told);
    times_told++;
}

static int setup(void **state)
{
    if (fixture_setup(state) < 0)
        return -1;
    core = (struct core){.event = fx.event};
    reserved_init(&reserved);
    items_init(&items, &core, &reserved);
    times_told = 0;
    if (queue_start(&queue, &core, &items) < 0)
        return -1;
    queue_set_fn(&queue, on_offer, &times_told);
    return 0;
}

static int teardown(void **state)
{
    queue_stop(&queue);
    items_done(&items);
    return fixture_teardown(state);
}

static void run(void)
{
    while (sd_event_run(fx.event, 0) > 0)
        ;
}

/* As a publication does it, one minute later each: the place. */
static size_t published(unsigned minutes, const char *key, bool pending)
{
    usec time = START + minutes * USEC_PER_MIN;
    size_t at;

    assert_int_equal(index_reserve(&items.index, 1), 0);
    at = index_add(&items.index, strdup(key), time, 4096, pending);
    items_at(&items, at)->busy = true;
    return at;
}

static void three(void)
{
    queue_join(&queue, published(0, KEY("26"), true), 0);
    queue_join(&queue, published(1, KEY("27"), true), 0);
    queue_join(&queue, published(2, KEY("28"), true), 0);
}

static const char *newest(void)
{
    size_t at;

    return queue_newest(&queue, &at) ? index_key(&items.index, at) : "none";
}

static size_t place(const char *key)
{
    size_t at;

    assert_true(items_find(&items, key, &at));
    return at;
}

static void pass_time(usec by)
{
    boot_shift += (int64_t)by;
}

static void test_the_newest_first(void **state)
{
    (void)state;
    assert_string_equal(newest(), "none");
    assert_true(queue_next_offer(&queue) == USEC_NEVER);
    three();
    assert_string_equal(newest(), KEY("28"));
    assert_true(queue_next_offer(&queue) == 0);
    items_at(&items, place(KEY("28")))->busy = true;
    assert_string_equal(newest(), KEY("27"));
    queue_later(&queue, place(KEY("27")), USEC_PER_MIN);
    assert_string_equal(newest(), KEY("26"));
    queue_never(&queue, place(KEY("26")));
    assert_string_equal(newest(), "none");
    assert_int_equal(items.index.aside, 1);
}

static void of_incident(const char *key, usec begin)
{
    index_annotate(&items.index, place(key),
                   &(struct record_annotation){.latency = -1, .covered = -1, .incident = begin});
}

static void test_incidents_before_all(void **state)
{
    (void)state;
    three();
    of_incident(KEY("26"), START);
    of_incident(KEY("27"), START);
    assert_string_equal(newest(), KEY("27"));
    index_archive(&items.index, place(KEY("27")));
    assert_string_equal(newest(), KEY("26"));
    queue_later(&queue, place(KEY("26")), USEC_PER_MIN);
    assert_string_equal(newest(), KEY("28"));
    of_incident(KEY("26"), 0);
    assert_int_equal(items.index.urgent, 0);
    of_incident(KEY("26"), START);
    index_remove(&items.index, place(KEY("26")));
    assert_int_equal(items.index.urgent, 0);
}

/* Not before it joins, and from outside, once for several reasons. */
static void test_told(void **state)
{
    size_t at;

    (void)state;
    run(); /* nothing is pending */
    assert_int_equal(times_told, 0);
    queue_join(&queue, published(0, KEY("26"), false), 0);
    run(); /* it is in the archive */
    assert_int_equal(times_told, 0);
    at = published(1, KEY("27"), true);
    assert_string_equal(newest(), "none");
    queue_join(&queue, at, 0);
    queue_join(&queue, published(2, KEY("28"), true), 0);
    assert_int_equal(times_told, 0);
    run();
    assert_int_equal(times_told, 1);
    queue_set_fn(&queue, on_offer, &times_told); /* whoever comes later is told of what is there */
    run();
    assert_int_equal(times_told, 2);
    queue_set_fn(&queue, NULL, NULL);
    run();
    assert_int_equal(times_told, 2);
}

static void test_waits_for_its_record(void **state)
{
    (void)state;
    items_hold(&items, published(0, KEY("26"), true));
    queue_join(&queue, place(KEY("26")), HOLD);
    run();
    times_told = 0;
    assert_string_equal(newest(), "none");
    queue_offer_put_off(&queue); /* the store works again */
    queue_offer_again(&queue);   /* there is another one */
    assert_string_equal(newest(), "none");
    run();
    times_told = 0;
    queue_release(&queue, place(KEY("26")));
    assert_string_equal(newest(), KEY("26"));
    run();
    assert_int_equal(times_told, 1);
    queue_release(&queue, place(KEY("26")));
    run();
    assert_int_equal(times_told, 1);
}

static void test_does_not_wait_for_ever(void **state)
{
    (void)state;
    items_hold(&items, published(0, KEY("26"), true));
    queue_join(&queue, place(KEY("26")), HOLD);
    pass_time(HOLD - 2 * USEC_PER_SEC);
    assert_string_equal(newest(), "none");
    assert_true(queue_next_offer(&queue) > core_now(&core));
    pass_time(4 * USEC_PER_SEC);
    assert_string_equal(newest(), KEY("26"));
}

/* Its upload failed meanwhile: a label is no reason to try that again at once. */
static void test_released_after_a_failure(void **state)
{
    (void)state;
    items_hold(&items, published(0, KEY("26"), true));
    queue_join(&queue, place(KEY("26")), USEC_PER_SEC);
    pass_time(3 * USEC_PER_SEC);
    assert_string_equal(newest(), KEY("26"));
    queue_later(&queue, place(KEY("26")), USEC_PER_HOUR);
    queue_release(&queue, place(KEY("26")));
    assert_string_equal(newest(), "none");
    assert_int_equal(items.index.held, 0);
}

static void test_later(void **state)
{
    (void)state;
    three();
    for (unsigned i = 0; i < 3; i++)
        queue_later(&queue, i, (3 - i) * USEC_PER_MIN);
    queue_later(&queue, 0, 2 * USEC_PER_DAY); /* a day at most */
    assert_int_equal(items_at(&items, 0)->failures, 2);
    assert_true(queue_next_offer(&queue) % USEC_PER_SEC == 0);
    assert_true(queue_next_offer(&queue) >= core_now(&core) + USEC_PER_MIN);
    assert_true(queue_next_offer(&queue) <= core_now(&core) + USEC_PER_MIN + USEC_PER_SEC);
    run();
    times_told = 0;
    pass_time(USEC_PER_MIN + USEC_PER_SEC);
    assert_string_equal(newest(), KEY("28"));
    run();
    assert_int_equal(times_told, 1);
    items_at(&items, 2)->busy = true;
    assert_string_equal(newest(), "none");
    pass_time(USEC_PER_MIN);
    assert_string_equal(newest(), KEY("27"));
    items_at(&items, 1)->busy = true;
    pass_time(USEC_PER_DAY - 3 * USEC_PER_MIN);
    assert_string_equal(newest(), "none");
    pass_time(2 * USEC_PER_MIN);
    assert_string_equal(newest(), KEY("26"));
}

static void test_offered_when_asked_for(void **state)
{
    (void)state;
    three();
    queue_later(&queue, 0, USEC_PER_HOUR);
    queue_never(&queue, 1);
    queue_never(&queue, 2);
    queue_offer_key(&queue, KEY("28"));
    assert_string_equal(newest(), KEY("28"));
    assert_int_equal(items.index.aside, 1);
    items_at(&items, 2)->busy = true;
    queue_offer_key(&queue, KEY("26")); /* not aside */
    queue_offer_key(&queue, KEY("29")); /* not there */
    queue_offer_key(&queue, "no key");
    assert_string_equal(newest(), "none");
    queue_offer_put_off(&queue);
    assert_string_equal(newest(), KEY("26"));
    assert_int_equal(items_at(&items, 0)->failures, 1);
    queue_offer_again(&queue);
    assert_string_equal(newest(), KEY("27"));
    assert_int_equal(items_at(&items, 0)->failures, 0);
    assert_int_equal(items.index.aside, 0);
}

/* One line in the log however many rest, each longer after each failure. */
static void test_rest(void **state)
{
    usec before = 0;

    (void)state;
    three();
    assert_true(queue_rest(&queue, 0));
    assert_false(queue_rest(&queue, 1));
    assert_false(queue_rest(&queue, 2));
    for (unsigned i = 0; i < 300; i++) {
        usec wait;

        pass_time(CORE_REST_MOST + USEC_PER_SEC);
        assert_string_equal(newest(), KEY("28"));
        assert_true(queue_rest(&queue, 0) && !queue_rest(&queue, 1) && !queue_rest(&queue, 2));
        wait = queue_next_offer(&queue) - core_now(&core);
        assert_true(wait + USEC_PER_SEC >= before && wait <= CORE_REST_MOST + USEC_PER_SEC);
        before = wait;
    }
    assert_true(before + USEC_PER_SEC >= CORE_REST_MOST);
    assert_int_equal(items_at(&items, 0)->failures, UINT8_MAX);
}

static void test_holds_since(void **state)
{
    (void)state;
    assert_false(queue_holds_since(&queue, 0));
    three();
    queue_join(&queue, published(3, KEY("29"), false), 0);
    assert_true(queue_holds_since(&queue, START + 2 * USEC_PER_MIN));
    assert_false(queue_holds_since(&queue, START + 2 * USEC_PER_MIN + 1));
}

static void count_idle(void *userdata)
{
    ++*(int *)userdata;
}

/* What joins is in nobody's hands any more, and whoever waits for that is told. */
static void test_idle_when_it_joins(void **state)
{
    int idle = 0;

    (void)state;
    items_set_idle_fn(&items, count_idle, &idle);
    queue_join(&queue, published(0, KEY("26"), true), 0);
    queue_join(&queue, published(1, KEY("27"), false), HOLD);
    assert_int_equal(idle, 2);
    assert_false(items_at(&items, 0)->busy || items_at(&items, 1)->busy);
    assert_false(items_at(&items, 1)->put_off); /* there is no upload that could wait */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_newest_first),
        TEST(test_incidents_before_all),
        TEST(test_told),
        TEST(test_waits_for_its_record),
        TEST(test_does_not_wait_for_ever),
        TEST(test_released_after_a_failure),
        TEST(test_later),
        TEST(test_offered_when_asked_for),
        TEST(test_rest),
        TEST(test_holds_since),
        TEST(test_idle_when_it_joins),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
