/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "lib/spool/core/expiry.h"

#define AGE USEC_PER_DAY
#define NEWEST ((usec)1773480413 * USEC_PER_SEC) /* 2026-03-14 09:26:53 */

/* The layers below, of which the timer asks clocks, limits and index. */
static struct core core;
static struct reserved reserved;
static struct items items;
static struct facts facts;
static struct expiry expiry;

static int on_time(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    (void)userdata;
    return 0;
}

static int setup(void **state)
{
    (void)state;
    core = (struct core){0};
    if (sd_event_new(&core.event) < 0)
        return -1;
    core_age_begin(&core, NEWEST);
    reserved_init(&reserved);
    items_init(&items, &core, &reserved);
    facts = (struct facts){&core, &items, &reserved, {.max_age = AGE}};
    return expiry_start(&expiry, &core, &facts, on_time, NULL) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    expiry_stop(&expiry);
    items_done(&items);
    core.event = sd_event_unref(core.event);
    return 0;
}

static struct retention_item *keep(const char *key, usec time, bool pending)
{
    assert_int_equal(index_append(&items.index, strdup(key), time, 4096, pending), 0);
    return items_at(&items, items.index.n - 1);
}

/* How far away it is; USEC_NEVER: it is off. */
static usec due(void)
{
    uint64_t time = 0;
    int on = SD_EVENT_OFF;

    assert_true(sd_event_source_get_enabled(expiry.timer, &on) >= 0);
    if (on == SD_EVENT_OFF)
        return USEC_NEVER;
    assert_true(sd_event_source_get_time(expiry.timer, &time) >= 0);
    return time - core_now(&core);
}

static usec armed(void)
{
    expiry_arm(&expiry);
    return due();
}

static usec accuracy(void)
{
    uint64_t most = 0;

    assert_true(sd_event_source_get_time_accuracy(expiry.timer, &most) >= 0);
    return most;
}

static void assert_near(usec time, usec wanted)
{
    assert_true(time > wanted - 2 * USEC_PER_SEC && time < wanted + 2 * USEC_PER_SEC);
}

static void test_the_oldest_that_age_may_take(void **state)
{
    (void)state;
    assert_true(armed() == USEC_NEVER);
    keep("a", NEWEST - 5 * USEC_PER_HOUR, true);
    keep("b", NEWEST - 4 * USEC_PER_HOUR, false)->busy = true;
    keep("c", NEWEST - 3 * USEC_PER_HOUR, false)->failed = true;
    assert_true(armed() == USEC_NEVER);
    keep("d", NEWEST - 2 * USEC_PER_HOUR, false);
    keep("e", NEWEST, false);
    assert_near(armed(), AGE - 2 * USEC_PER_HOUR);
    assert_true(accuracy() == USEC_PER_MIN);
    facts.limits.max_age = 0;
    assert_true(armed() == USEC_NEVER);
    facts.limits.max_age = USEC_NEVER;
    assert_true(armed() == USEC_NEVER);
}

static void test_overdue_is_no_hurry(void **state)
{
    (void)state;
    keep("a", NEWEST - 2 * AGE, false);
    assert_near(armed(), USEC_PER_MIN);
}

static void test_joined(void **state)
{
    (void)state;
    assert_true(armed() == USEC_NEVER);
    expiry_joined(&expiry, NEWEST - USEC_PER_HOUR);
    assert_near(due(), AGE - USEC_PER_HOUR);
    expiry_joined(&expiry, NEWEST);
    assert_near(due(), AGE - USEC_PER_HOUR);
    expiry_joined(&expiry, NEWEST - 2 * USEC_PER_HOUR);
    assert_near(due(), AGE - 2 * USEC_PER_HOUR);
    facts.limits.max_age = 0;
    expiry_joined(&expiry, NEWEST - 3 * USEC_PER_HOUR);
    assert_near(due(), AGE - 2 * USEC_PER_HOUR);
}

/* What was said to be tried again in 5 s is not tried within the minute after that. */
static void test_retries_are_prompt(void **state)
{
    usec now = core_now(&core);

    (void)state;
    keep("a", NEWEST, false);
    expiry_set_retry(&expiry, EXPIRY_TRACES, now + 5 * USEC_PER_SEC);
    expiry_set_retry(&expiry, EXPIRY_INCOMING, now + 30 * USEC_PER_SEC);
    assert_true(armed() <= 5 * USEC_PER_SEC);
    assert_true(accuracy() <= USEC_PER_SEC);
    expiry_set_retry(&expiry, EXPIRY_TRACES, USEC_NEVER);
    assert_near(armed(), 30 * USEC_PER_SEC);
    assert_true(accuracy() <= USEC_PER_SEC);
    expiry_set_retry(&expiry, EXPIRY_INCOMING, USEC_NEVER);
    assert_near(armed(), AGE);
    assert_true(accuracy() == USEC_PER_MIN);
}

static void test_stopped(void **state)
{
    (void)state;
    keep("a", NEWEST, false);
    expiry_stop(&expiry);
    expiry_arm(&expiry);
    expiry_joined(&expiry, NEWEST);
    expiry_stop(&expiry);
}

/* What is among the worst never comes of age, what belongs to an incident with that; and what was
 * not read yet tells neither. */
static void test_what_outlives_max_age(void **state)
{
    struct retention_item *worst = keep("cart/a/20260313/092653-7.trace", NEWEST - AGE, false);
    struct retention_item *incident;

    (void)state;
    facts.limits.keep_worst = 1;
    facts.limits.keep_incidents = 3 * AGE;
    assert_true(armed() == USEC_NEVER);
    worst->annotated = true;
    assert_true(armed() != USEC_NEVER);
    worst->worst = true;
    assert_true(armed() == USEC_NEVER);
    incident = keep("cart/a/20260313/092654-7.trace", NEWEST - AGE + USEC_PER_SEC, false);
    incident->annotated = true;
    incident->incident = 1;
    assert_true(armed() > 2 * AGE && due() < 2 * AGE + USEC_PER_MIN);
    facts.limits.keep_worst = 0;
    facts.limits.keep_incidents = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_oldest_that_age_may_take, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overdue_is_no_hurry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_joined, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retries_are_prompt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_outlives_max_age, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
    };

    return cmocka_run_group_tests_name("expiry", tests, NULL, NULL);
}
