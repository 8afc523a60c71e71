/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "lib/record/name.h"
#include "lib/spool/core/items.h"

#define FIRST "checkout/web-1/20260314/092653-4711.trace"
#define SECOND "checkout/web-1/20260314/092753-4711.trace"

static struct core core;
static struct reserved reserved;
static struct items items;
static unsigned advanced, idle;

static void on_advance(void *userdata)
{
    (void)userdata;
    advanced++;
}

static void on_end(void *userdata)
{
    (void)userdata;
}

static void on_idle(void *userdata)
{
    assert_ptr_equal(userdata, &idle);
    idle++;
}

static size_t add(const char *key, bool pending)
{
    struct name name;

    assert_int_equal(name_parse(key, &name), 0);
    assert_int_equal(index_reserve(&items.index, 1), 0);
    return index_add(&items.index, strdup(key), name.time, 4096, pending);
}

static void run(void)
{
    while (sd_event_run(core.event, 0) > 0)
        ;
}

static int setup(void **state)
{
    (void)state;
    core = (struct core){0};
    if (sd_event_new(&core.event) < 0 || core_start(&core, on_advance, on_end, NULL) < 0)
        return -1;
    reserved_init(&reserved);
    items_init(&items, &core, &reserved);
    items_set_idle_fn(&items, on_idle, &idle);
    run();
    advanced = idle = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    items_done(&items);
    core.wake = sd_event_source_disable_unref(core.wake);
    core.event = sd_event_unref(core.event);
    return 0;
}

static void test_find(void **state)
{
    size_t at;

    (void)state;
    add(FIRST, true);
    add(SECOND, false);
    assert_true(items_find(&items, FIRST, &at) && items_at(&items, at)->pending);
    assert_true(items_find(&items, SECOND, &at) && !items_at(&items, at)->pending);
    assert_false(items_find(&items, "checkout/web-1/20260314/092853-4711.trace", &at));
    assert_false(items_find(&items, "no key", &at));
}

static void test_idle(void **state)
{
    size_t at;

    (void)state;
    at = add(FIRST, true);
    items_at(&items, at)->busy = true;
    items_idle(&items, at);
    assert_false(items_at(&items, at)->busy);
    assert_int_equal(idle, 1);
    items_set_idle_fn(&items, NULL, NULL);
    items_idle(&items, at);
    assert_int_equal(idle, 1);
}

/* Room for its longer record counts while it is held, once. */
static void test_hold(void **state)
{
    size_t at;

    (void)state;
    at = add(FIRST, true);
    items_hold(&items, at);
    items_hold(&items, at);
    assert_int_equal(items_bytes(&items), 4096 + ITEMS_AMEND_ROOM);
    assert_int_equal(items.index.held, 1);
    items_unhold(&items, at);
    items_unhold(&items, at);
    assert_int_equal(items_bytes(&items), 4096);
    assert_int_equal(items.index.held, 0);
}

/* Retention looks at all that is kept: not for each item that goes, but when room is waited for. */
static void test_room_is_told_of_to_whoever_waits(void **state)
{
    struct reservation one = {0};

    (void)state;
    items_hold(&items, add(FIRST, true));
    items_hold(&items, add(SECOND, true));
    items_unhold(&items, 0);
    items_drop(&items, 0);
    run();
    assert_int_equal(advanced, 0);
    reserved_wait(&reserved, &one);
    items_unhold(&items, 0);
    run();
    assert_int_equal(advanced, 1);
    items_unhold(&items, 0); /* it was not held: nothing came */
    run();
    assert_int_equal(advanced, 1);
    items_drop(&items, 0);
    run();
    assert_int_equal(advanced, 2);
    assert_int_equal(items.index.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_find, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(test_room_is_told_of_to_whoever_waits, setup, teardown),
    };

    return cmocka_run_group_tests_name("items", tests, NULL, NULL);
}
